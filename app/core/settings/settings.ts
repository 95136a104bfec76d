// Settings: flags over FERRY_* variables over a YAML file over defaults. Every mistake is found in one go, each with
// its place, and nothing starts while there is one.
import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import { FerryError } from '../errors.ts';
import { maskText } from '../log.ts';
import { type FieldInfo, infoOf } from './fields.ts';
import { settingName, variableName } from './names.ts';
import {
  type Origin,
  originText,
  type Problem,
  readEnvironment,
  readFlags,
  readYamlFile,
  type Source,
  whereText,
} from './sources.ts';

/** Values that are each right and together wrong. */
export interface Conflict<Field extends string> {
  readonly fields: readonly Field[];
  /** What is wrong, as a full clause without a full stop. */
  readonly wrong: string;
  readonly expected: string;
  readonly remedy: string;
}

/** One command's settings: where they may be written, a schema of settings-fields.ts, and what must hold between them. */
export interface SettingsSpec<T> {
  /** Section of the YAML file. Without one, flags are the only source: no variables, no file. */
  readonly section?: string;
  readonly schema: z.ZodType<T> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  /** Called with what is valid so far; a wrong or missing field is absent. */
  check?(values: Partial<T>): readonly Conflict<keyof T & string>[];
}

/** What settings are read from. */
export interface SettingsInput {
  /** Flags by name without dashes; false for `--no-…`, null when the value was left out. May hold `config`. */
  readonly flags: ReadonlyMap<string, string | boolean | null>;
  /** What the command line held besides known flags. */
  readonly rest?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the YAML file; Node's own by default. */
  readonly readText?: (path: string) => string;
}

/** A setting as `ferry config` shows it. */
export interface ResolvedSetting {
  readonly field: string;
  readonly name: string;
  readonly info: FieldInfo;
  readonly origin: Origin;
  /** As written or its effective form; undefined when absent. Secrets are masked. */
  readonly shown: string | undefined;
  /** The typed value; undefined when absent, wrong or secret. */
  readonly value: unknown;
}

export interface Resolution<T> {
  readonly settings: readonly ResolvedSetting[];
  readonly problems: readonly Problem[];
  /** Present exactly when there is no problem. */
  readonly values?: T;
}

/** A field of a schema with its names, in the schema's order. */
export function fieldsOf<T>(spec: SettingsSpec<T>) {
  return Object.entries(spec.schema.shape).map(([field, schema]) => {
    const name = settingName(field);
    return { field, schema, name, variable: variableName(name), info: infoOf(schema) };
  });
}

/** Finds every setting's value and every problem; throws nothing. */
export function resolveSettings<T>(spec: SettingsSpec<T>, input: SettingsInput): Resolution<T> {
  const fields = fieldsOf(spec);
  const sources = readSources(spec, input);
  const problems = sources.flatMap((source) => source.problems);
  const unreadable = sources.some((source) => source.unreadable);
  const texts: Record<string, string | undefined> = {};
  const values: Record<string, unknown> = {};
  const settings: ResolvedSetting[] = [];

  for (const { field, schema, name, info } of fields) {
    const written = sources.flatMap((source) => source.values.get(name) ?? []);
    for (const { text, origin } of written) {
      const wrong = whatIsWrong(schema, text);
      if (wrong !== undefined) problems.push(wrongValue(name, info, text, origin, wrong));
    }
    const winner = written[0] ?? { text: info.default, origin: { kind: 'default' } as const };
    const { text, origin } = winner;
    const parsed = schema.safeParse(text);
    if (parsed.success) {
      texts[field] = text;
      if (parsed.data !== undefined) values[field] = parsed.data;
    } else if (text === undefined && !unreadable) problems.push(missing(spec.section, name, info));
    const value = parsed.success ? parsed.data : undefined;
    const effective = typeof value === 'string' ? value : text;
    const shown = effective === undefined ? undefined : masked(effective, info);
    settings.push({
      field,
      name,
      info,
      origin,
      shown,
      value: info.secret ? undefined : typeof value === 'string' ? shown : value,
    });
  }

  // Each value was parsed by the schema of its own field, so what is there has the field's type.
  for (const conflict of spec.check?.(values as Partial<T>) ?? [])
    problems.push(conflicting(conflict, settings));
  if (problems.length > 0) return { settings, problems };
  return { settings, problems, values: spec.schema.parse({ ...absent(fields), ...texts }) };
}

/** The settings, or a FerryError `config` that names every problem. */
export function loadSettings<T>(spec: SettingsSpec<T>, input: SettingsInput): T {
  const { values, problems } = resolveSettings(spec, input);
  if (values === undefined) throw settingsError(spec, problems);
  return values;
}

/** All problems as one error for people. `shown`: every value has just been printed. */
export function settingsError<T>(
  spec: SettingsSpec<T>,
  problems: readonly Problem[],
  shown = false,
): FerryError {
  const count = problems.length === 1 ? 'A setting is wrong' : `${problems.length} settings are wrong`;
  const list = problems.map(({ where, value, wrong, expected, remedy }) => {
    const subject = value === undefined ? where : `${where} ${JSON.stringify(value)}`;
    return `  ${subject} ${wrong}\n      expected: ${expected}\n      to mend:  ${remedy}\n`;
  });
  return new FerryError(
    'config',
    `${count}, nothing was done:\n\n${list.join('\n')}\n`,
    spec.section === undefined || shown
      ? 'Run again with --help to see all flags.'
      : '`ferry config` with the same flags shows every value and where it comes from.',
  );
}

/** Highest first. */
function readSources<T>(spec: SettingsSpec<T>, input: SettingsInput): Source[] {
  const names = fieldsOf(spec).map(({ name }) => name);
  const { section } = spec;
  if (section === undefined) return [readFlags(names, input.flags, input.rest ?? [])];
  const flags = new Map(input.flags);
  const flagged = flags.get('config');
  if (flagged !== null) flags.delete('config');
  const sources = [readFlags(names, flags, input.rest ?? []), readEnvironment(names, input.env)];
  const chosen =
    typeof flagged === 'string'
      ? { file: flagged, where: '--config' }
      : { file: input.env.FERRY_CONFIG, where: 'FERRY_CONFIG' };
  const { file, where } = chosen;
  if (file !== undefined) {
    const readText = input.readText ?? ((path: string) => readFileSync(path, 'utf8'));
    sources.push(readYamlFile(names, section, { file, where }, readText));
  }
  return sources;
}

function absent(fields: readonly { field: string }[]): Record<string, undefined> {
  return Object.fromEntries(fields.map(({ field }) => [field, undefined]));
}

function whatIsWrong(schema: z.ZodType, text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  const result = schema.safeParse(text);
  if (result.success) return undefined;
  return innermostMessage(result.error.issues);
}

/** An optional field is a union; what its text is judged by is the issue inside. */
function innermostMessage(issues: readonly z.core.$ZodIssue[]): string {
  for (const issue of issues) {
    if (issue.code === 'custom') return issue.message;
    if (issue.code === 'invalid_union')
      for (const branch of issue.errors) {
        const found = branch.find((inner) => inner.code === 'custom');
        if (found) return found.message;
      }
  }
  return 'is wrong';
}

function masked(text: string, info: FieldInfo): string {
  return info.secret ? '***' : maskText(text);
}

/** How the example is written in the same place. */
function inPlace(origin: Origin, name: string, info: FieldInfo): string {
  switch (origin.kind) {
    case 'env':
      return `set ${origin.variable}=${info.example}`;
    case 'file':
      return `write "${name}: ${info.example}" in line ${origin.line}`;
    default:
      return info.kind === 'switch'
        ? `write --${name} or --no-${name}`
        : `write --${name} ${quoted(info.example)}`;
  }
}

function quoted(example: string): string {
  return /[{}*|&; ]/.test(example) ? `'${example}'` : example;
}

function wrongValue(name: string, info: FieldInfo, text: string, origin: Origin, wrong: string): Problem {
  return {
    where: origin.kind === 'file' ? `${whereText(origin)} ${name}` : whereText(origin),
    value: masked(text, info),
    wrong,
    expected: `${info.expected}, e.g. ${info.example}`,
    remedy: `for instance ${inPlace(origin, name, info)}`,
  };
}

function missing(section: string | undefined, name: string, info: FieldInfo): Problem {
  const elsewhere =
    section === undefined
      ? ''
      : `, set ${variableName(name)}, or put "${name}:" below "${section}:" in the settings file`;
  return {
    where: `--${name}`,
    wrong: `is missing: ${info.what}`,
    expected: `${info.expected}, e.g. ${info.example}`,
    remedy: `write --${name} ${quoted(info.example)}${elsewhere}`,
  };
}

function conflicting(conflict: Conflict<string>, settings: readonly ResolvedSetting[]): Problem {
  const parts = conflict.fields.flatMap((field) => {
    const setting = settings.find((candidate) => candidate.field === field);
    if (!setting) return [];
    return [`${setting.name} ${setting.shown ?? '(absent)'} (${originText(setting.origin)})`];
  });
  return {
    where: parts.join(', '),
    wrong: `- ${conflict.wrong}`,
    expected: conflict.expected,
    remedy: conflict.remedy,
  };
}
