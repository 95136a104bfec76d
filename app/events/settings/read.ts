// Reads the settings file: every mistake at once, each with line, column, what was expected and what to do.
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { errnoOf, FerryError, messageOf } from '../../core/errors.ts';
import { maskText } from '../../core/log.ts';
import { nearest } from '../../core/settings/names.ts';
import { settingsError } from '../../core/settings/settings.ts';
import type { Problem } from '../../core/settings/sources.ts';
import { DEFAULT_BODY, PLACEHOLDERS } from '../api/description.ts';
import { strangePlaceholders } from '../api/template.ts';
import type { FlattenOptions } from '../flatten.ts';
import { eventsSpec } from './flags.ts';
import { type EventsFile, fileSchema } from './schema.ts';

/** The file as the mover uses it: older spellings resolved, paths absolute. */
export interface EventsSettings
  extends Omit<EventsFile, 'metadata' | 'flatten' | 'read_batch_size' | 'retry_time_delta' | 's3_key'> {
  readonly read_batch_size: number;
  /** Milliseconds. */
  readonly retry_time_delta: number;
  /** '' or ends in `/`. */
  readonly s3_key: string;
  readonly flatten: FlattenOptions | undefined;
}

type Path = readonly PropertyKey[];

const METADATA = [
  'read_batch_size',
  's3_bucket',
  's3_key',
  'retry_sla',
  'retry_time_delta',
  'save_data_locally',
] as const;

/** Headers that would carry a key in the file. */
const KEY_HEADER = /^(authorization|proxy-authorization|cookie|.*(api[-_]?key|secret|token|password).*)$/i;

/** Reads and checks the file. @throws FerryError `config` that names every problem */
export function readEventsFile(
  file: string,
  base: string,
  readText = (path: string) => readFileSync(path, 'utf8'),
): EventsSettings {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${messageOf(error)})`;
    throw new FerryError(
      'config',
      `The settings file ${file} ${why}.`,
      'Mend the path after --config; `ferry events demo` writes one to start from.',
    );
  }
  return parseEventsFile(file, text, base);
}

/** @param base relative paths in the file start here */
export function parseEventsFile(file: string, text: string, base: string): EventsSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const fail = (problems: readonly Problem[]): never => {
    throw settingsError(eventsSpec, problems);
  };
  if (document.errors.length > 0)
    fail(
      document.errors.map((error) => ({
        where: at(error.pos[0]),
        wrong: `is not YAML: ${maskText(error.message)}`,
        expected: 'one "key: value" per line',
        remedy: 'mend this line',
      })),
    );
  const where = (path: Path, atKey = false): string => at(offsetOf(document, path, atKey));
  const parsed = fileSchema.safeParse(document.toJS());
  if (!parsed.success)
    return fail(parsed.error.issues.flatMap((issue) => problemsOf(issue, document, where)));
  const problems = checkFile(parsed.data, where);
  if (problems.length > 0) fail(problems);
  return settled(parsed.data, base);
}

/** Where a path's value stands, or its key; the nearest node above it when there is none. */
function offsetOf(document: Document.Parsed, path: Path, atKey: boolean): number {
  if (atKey) {
    const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(map)
      ? map.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
      : undefined;
    if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}

type Where = (path: Path, atKey?: boolean) => string;

function problemsOf(issue: z.core.$ZodIssue, document: Document.Parsed, where: Where): Problem[] {
  const name = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return {
        where: where([...issue.path, key], true),
        wrong: `unknown key "${key}"${name === '' ? '' : ` in ${name}`}`,
        expected: meant === undefined ? `one of ${known.join(', ')}` : `did you mean ${meant}?`,
        remedy: 'mend its spelling or remove it; `ferry events schema` prints all keys',
      };
    });
  }
  // A union tells what every branch minds: the one that came furthest is meant.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a))[0] ?? [];
    if (depthOf(deepest) > 0 || deepest.some(({ code }) => code === 'custom' || code === 'unrecognized_keys'))
      return deepest.flatMap((inner) =>
        problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, document, where),
      );
  }
  const value = document.getIn(issue.path, true);
  const isMissing = value === undefined;
  const shown = isScalar(value) && !looksSecret(name) ? maskText(String(value.value)) : undefined;
  return [
    {
      where: `${where(issue.path)} ${name === '' ? 'the file' : name}`,
      ...(shown === undefined ? {} : { value: shown }),
      wrong: isMissing ? 'is missing' : isSentence(issue.message) ? issue.message : 'is wrong',
      expected: expectedOf(issue, name),
      remedy: isMissing ? `add "${name}: …"` : 'correct it; `ferry events schema` prints what each key takes',
    },
  ];
}

function isSentence(message: string): boolean {
  return /^(is|names|has|holds) /.test(message);
}

function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

function looksSecret(name: string): boolean {
  return KEY_HEADER.test(name.split('.').at(-1) ?? '');
}

function expectedOf(issue: z.core.$ZodIssue, name: string): string {
  const description = describedAt(issue.path);
  const what = isSentence(issue.message) ? '' : issue.message.replace(/^Invalid (input|option|string): /, '');
  return [what, description].filter((part) => part !== '').join('; ') || `a value for ${name}`;
}

function describedAt(path: Path): string {
  const schema = schemaAt(path);
  return schema?.description ?? '';
}

function schemaAt(path: Path): z.ZodType | undefined {
  let schema: unknown = fileSchema;
  for (const name of path) {
    const shape = shapeOf(schema);
    schema = shape?.[String(name)];
  }
  return schema as z.ZodType | undefined; // what a shape holds is a schema
}

function knownKeys(path: Path): string[] {
  return Object.keys(shapeOf(schemaAt(path)) ?? {});
}

/** The fields of an object schema, also inside what may be absent or has a default. */
function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  let inner = schema;
  for (let depth = 0; depth < 5 && inner instanceof Object; depth += 1) {
    if ('shape' in inner) return inner.shape as Record<string, unknown>; // zod's own
    inner = 'unwrap' in inner && typeof inner.unwrap === 'function' ? inner.unwrap() : undefined;
  }
  return undefined;
}

/** What is right by itself and wrong together. */
function checkFile(file: EventsFile, where: Where): Problem[] {
  const problems: Problem[] = [];
  const add = (path: Path, wrong: string, expected: string, remedy: string, atKey = false): void => {
    problems.push({ where: `${where(path, atKey)} ${path.join('.')}`, wrong, expected, remedy });
  };
  for (const name of METADATA)
    if (file[name] !== undefined && file.metadata?.[name] !== undefined)
      add(['metadata', name], 'is written twice', 'one of both', 'remove it here or at the top', true);
  for (const name of Object.keys(file.headers))
    if (KEY_HEADER.test(name))
      add(
        ['headers', name],
        'looks like a key in the file',
        'headers without secrets',
        `remove it, set ${file.key_variable} in the environment, and name the header in api.auth`,
        true,
      );
  for (const [index, type] of file.events.entries())
    if (file.events.indexOf(type) !== index)
      add(['events', index], 'is named twice', 'each type once', 'remove one of them');
  const { api } = file;
  const limit = file.read_batch_size ?? file.metadata?.read_batch_size;
  if (limit !== undefined && (limit < api.limit_min || limit > api.limit_max))
    add(
      file.read_batch_size === undefined ? ['metadata', 'read_batch_size'] : ['read_batch_size'],
      `is ${limit}, which the API does not take`,
      `${api.limit_min} to ${api.limit_max}`,
      'choose a number between; api.limit_min and api.limit_max say what the API takes',
    );
  for (const [path, template] of [
    [['api', 'path'], api.path],
    [['api', 'query'], api.query],
    [['api', 'body'], api.body],
  ] as const)
    for (const strange of strangePlaceholders(template)) {
      const meant = nearest(strange, Object.keys(PLACEHOLDERS));
      add(
        path,
        `holds the unknown placeholder {${strange}}`,
        meant === undefined ? `one of ${Object.keys(PLACEHOLDERS).join(', ')}` : `did you mean {${meant}}?`,
        'mend its name',
      );
    }
  const sent = JSON.stringify([api.path, api.query, api.method === 'GET' ? {} : (api.body ?? DEFAULT_BODY)]);
  if (api.page.by !== 'link' && !sent.includes('{cursor}'))
    add(
      ['api'],
      'never sends {cursor}',
      'a template that holds {cursor}',
      'put it into api.query or api.body',
    );
  if (api.page.by === 'last_id' && api.id === '')
    add(['api', 'page'], 'needs ids', 'api.id', "name the place of a record's id in api.id");
  const isLocal = file.save_data_locally ?? file.metadata?.save_data_locally ?? false;
  if (!isLocal && (file.s3_bucket ?? file.metadata?.s3_bucket) === undefined)
    add([], 'has nowhere to write to', 's3_bucket or save_data_locally: true', 'add one of them');
  return problems;
}

function settled(file: EventsFile, base: string): EventsSettings {
  const { metadata, ...rest } = file;
  const merged = { ...metadata, ...withoutUndefined(rest) } as Omit<EventsFile, 'metadata'>; // of the same keys
  const { api, s3_key = '' } = merged;
  const prefix = s3_key.replace(/^\/+|\/+$/g, '');
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(base, path));
  return {
    ...merged,
    api: api.method === 'POST' && api.body === undefined ? { ...api, body: { ...DEFAULT_BODY } } : api,
    read_batch_size: merged.read_batch_size ?? Math.min(100, api.limit_max),
    retry_time_delta: merged.retry_time_delta ?? 1_000,
    s3_key: prefix === '' ? '' : `${prefix}/`,
    local_path: absolute(merged.local_path),
    state: absolute(merged.state),
    ...(merged.log_path === undefined ? {} : { log_path: absolute(merged.log_path) }),
    flatten:
      merged.flatten === false
        ? undefined
        : merged.flatten === true
          ? { separator: '.', depth: 64, arrays: 'keep' }
          : merged.flatten,
  };
}

function withoutUndefined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>; // fewer keys
}
