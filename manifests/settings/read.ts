// Reads `Pulumi.<target>.yaml`: keys `ferry:<name>` below `config:`, the same file that Pulumi reads. Every mistake is
// found in one go, each with its line, and nothing is made while there is one.
import { isMap, isScalar, LineCounter, type Pair, parseDocument, type Scalar, visit } from 'yaml';
import type { ZodType } from 'zod';
import { FerryError } from '../../app/core/errors.ts';
import { type FieldInfo, infoOf } from '../../app/core/settings/fields.ts';
import { nearest, settingName } from '../../app/core/settings/names.ts';
import { checkTarget } from './checks.ts';
import { schema, type TargetSettings } from './settings.ts';

const SECTION = 'ferry';
/** What Pulumi itself writes beside `config` into such a file. */
const PULUMI_KEYS = ['encryptionsalt', 'encryptedkey', 'secretsprovider', 'environment'];

interface Written {
  readonly text: string;
  readonly where: string;
}
interface Field {
  readonly field: string;
  readonly name: string;
  readonly schema: ZodType;
  readonly info: FieldInfo;
}

const FIELDS: readonly Field[] = Object.entries(schema.shape).map(([field, one]) => ({
  field,
  name: settingName(field),
  schema: one,
  info: infoOf(one),
}));

/**
 * @param file as it is named in errors.
 * @throws FerryError `config` with every problem and its line.
 */
export function readTarget(file: string, content: string): TargetSettings {
  const problems: string[] = [];
  const written = readKeys(file, content, problems);
  const texts: Record<string, string | undefined> = {};
  for (const { field, name, schema: one, info } of FIELDS) {
    const given = written.get(name);
    texts[field] = given?.text ?? info.default;
    if (given === undefined) {
      if (info.default === undefined && !info.optional)
        problems.push(
          problem(
            file,
            `lacks ${SECTION}:${name}: ${info.what}`,
            expectedOf(info),
            `write "${SECTION}:${name}: ${info.example}" below config:`,
          ),
        );
      continue;
    }
    const wrong = given.text.trim() === '' ? 'is empty' : whatIsWrong(one, given.text);
    if (wrong !== undefined)
      problems.push(
        problem(
          `${given.where} ${SECTION}:${name} ${JSON.stringify(given.text)}`,
          wrong,
          expectedOf(info),
          `for instance "${SECTION}:${name}: ${info.example}"`,
        ),
      );
  }
  if (problems.length > 0) throw refused(file, problems);
  const settings = schema.parse(texts);
  const conflicts = checkTarget(settings).map(({ fields, wrong, expected, remedy }) => {
    const places = fields.map((field) => {
      const name = settingName(field);
      const given = written.get(name);
      return given
        ? `${given.where} ${SECTION}:${name} ${JSON.stringify(given.text)}`
        : `${SECTION}:${name} (absent)`;
    });
    return problem(places.join(', '), `- ${wrong}`, expected, remedy);
  });
  if (conflicts.length > 0) throw refused(file, conflicts);
  return settings;
}

/** Values by name with their places; what is no setting becomes a problem. */
function readKeys(file: string, content: string, problems: string[]): Map<string, Written> {
  const values = new Map<string, Written>();
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  for (const error of document.errors)
    problems.push(
      problem(
        at(error.pos[0]),
        `is not YAML: ${error.message}`,
        '"config:" and keys below it',
        'mend this line',
      ),
    );
  if (problems.length > 0) throw refused(file, problems);
  visit(document, {
    Alias: (_key, alias) => {
      problems.push(
        problem(
          at(alias.range?.[0] ?? 0),
          'is an alias, which Pulumi would not keep',
          'a value',
          'write the value itself',
        ),
      );
    },
  });
  for (const [key, place, pair] of pairsOf(document.contents, at)) {
    if (key === 'config') {
      if (pair.value !== null && !isMap(pair.value) && !(isScalar(pair.value) && pair.value.value === null))
        problems.push(
          problem(
            `${place} config`,
            'holds no keys',
            `${SECTION}:<name> keys`,
            'write one key a line below it',
          ),
        );
      for (const [name, where, setting] of pairsOf(pair.value, at))
        readSetting(name, where, setting, values, problems);
    } else if (!PULUMI_KEYS.includes(key))
      problems.push(
        problem(
          place,
          `unknown section "${key}"`,
          'config',
          `put settings below config: as ${SECTION}:${key}`,
        ),
      );
  }
  return values;
}

function readSetting(
  key: string,
  where: string,
  { value }: Pair,
  values: Map<string, Written>,
  problems: string[],
): void {
  const names = FIELDS.map(({ name }) => name);
  const [section, name] = key.includes(':')
    ? [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)]
    : ['', key];
  if (section !== SECTION) {
    // Other programs' settings (aws:region) are their own business; a bare name, or a misspelled section, is ours.
    if (section === '' || nearest(section, [SECTION]) !== undefined)
      problems.push(
        problem(
          where,
          `key "${key}" does not belong to ${SECTION}`,
          `${SECTION}:<name>`,
          `write ${SECTION}:${nearest(name, names) ?? name}`,
        ),
      );
    return;
  }
  if (!names.includes(name)) {
    const meant = nearest(name, names);
    problems.push(
      problem(
        where,
        `unknown key "${key}"`,
        meant === undefined ? 'a known name' : `did you mean ${SECTION}:${meant}?`,
        'manifests/settings/ lists all',
      ),
    );
  } else if (!isScalar(value) || value.value === null)
    problems.push(
      problem(where, `${key} is not one value`, 'one value', `write "${key}: value"; nothing here is secret`),
    );
  else values.set(name, { text: asWritten(value), where });
}

function* pairsOf(
  map: unknown,
  at: (offset: number) => string,
): Generator<[key: string, where: string, pair: Pair]> {
  if (!isMap(map)) return;
  for (const pair of map.items)
    yield isScalar(pair.key)
      ? [String(pair.key.value), at(pair.key.range?.[0] ?? 0), pair]
      : ['?', at(0), pair];
}

/** `0.50` stays so. */
function asWritten(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
}

function whatIsWrong(one: ZodType, text: string): string | undefined {
  const result = one.safeParse(text);
  if (result.success) return undefined;
  // An optional field is a union; what its text is judged by is the issue inside.
  const issues = result.error.issues.flatMap((issue) =>
    issue.code === 'invalid_union' ? issue.errors.flat() : [issue],
  );
  return issues.find(({ code }) => code === 'custom')?.message ?? 'is wrong';
}

function expectedOf(info: FieldInfo): string {
  return `${info.expected}, e.g. ${info.example}`;
}

function problem(where: string, wrong: string, expected: string, remedy: string): string {
  return `  ${where} ${wrong}\n      expected: ${expected}\n      to mend:  ${remedy}\n`;
}

function refused(file: string, problems: readonly string[]): FerryError {
  const count = problems.length === 1 ? 'A setting is wrong' : `${problems.length} settings are wrong`;
  return new FerryError(
    'config',
    `${count} in ${file}, nothing was written:\n\n${problems.join('\n')}\n`,
    '`ferry plan` shows every planned number with its arithmetic.',
  );
}
