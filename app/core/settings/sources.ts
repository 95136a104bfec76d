// Where settings are written: flags, the environment, a YAML file. Reads each into plain texts with their origin, and
// finds every name that means nothing.
import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { errnoOf, messageOf } from '../errors.ts';
import { maskText } from '../log.ts';
import { isServiceLink, nearest, variableName } from './names.ts';

/** Where a value was written. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'flag'; readonly flag: string };

/** One thing that is wrong, in four parts a person needs; secrets are masked already. */
export interface Problem {
  /** `--settle`, `FERRY_SETTLE` or `ferry.yaml:3:11`. */
  readonly where: string;
  /** As it was written; undefined when something is missing. */
  readonly value?: string;
  /** Completes "<where> <value> …". */
  readonly wrong: string;
  readonly expected: string;
  readonly remedy: string;
}

/** One source's values by setting name, as texts. */
export interface Source {
  readonly values: ReadonlyMap<string, { readonly text: string; readonly origin: Origin }>;
  readonly problems: readonly Problem[];
  /** There may be values in it that could not be read: what seems missing may not be. */
  readonly unreadable?: boolean;
}

const PREFIX = 'FERRY_';

/** Variables that are no settings of a mover but belong to the program. */
export const PROGRAM_VARIABLES: readonly string[] = ['FERRY_CONFIG', 'FERRY_STACK'];

/** `flag --settle`, `env FERRY_SETTLE`, `file ferry.yaml:3` or `default`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'env':
      return `env ${origin.variable}`;
    case 'file':
      return `file ${origin.file}:${origin.line}`;
    case 'flag':
      return `flag ${origin.flag}`;
  }
}

/** The place itself, for errors: `--settle`, `FERRY_SETTLE`, `ferry.yaml:3:11`. */
export function whereText(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}:${origin.column}`;
  return originText(origin).replace(/^\w+ /, '');
}

/**
 * @param given flags by setting name: a text, a boolean for a switch, or null when the value was left out.
 * @param rest what the command line held besides known flags.
 */
export function readFlags(
  names: readonly string[],
  given: ReadonlyMap<string, string | boolean | null>,
  rest: readonly string[],
): Source {
  const values = new Map<string, { text: string; origin: Origin }>();
  const problems: Problem[] = [];
  for (const [name, value] of given) {
    const flag = value === false ? `--no-${name}` : `--${name}`;
    if (value === null)
      problems.push({
        where: flag,
        wrong: 'has no value',
        expected: `a value after ${flag}`,
        remedy: `write it after the flag, or as ${flag}=VALUE when it starts with a dash`,
      });
    else values.set(name, { text: String(value), origin: { kind: 'flag', flag } });
  }
  const known = [...names, 'config', 'help', 'stack', 'version'];
  let afterUnknown = false;
  for (const argument of rest) {
    const isFlag = /^-./.test(argument);
    const flag = argument.replace(/=.*$/s, '');
    const name = flag.replace(/^-+/, '');
    // A flag with a value is known; what comes here is a switch that was given one.
    if (isFlag && argument.includes('=') && known.includes(name.replace(/^no-/, '')))
      problems.push({
        where: flag,
        wrong: 'takes no value',
        expected: `${flag} alone`,
        remedy: `write --${name.replace(/^no-/, '')} or --no-${name.replace(/^no-/, '')}`,
      });
    else if (isFlag) {
      const meant = nearest(name, known);
      const suggestion = meant === undefined ? undefined : `--${meant}`;
      problems.push(unknownName(flag, 'flag', suggestion, 'run with --help to see all flags'));
    } else if (!afterUnknown)
      problems.push({
        where: 'command line',
        value: maskText(argument),
        wrong: 'belongs to no flag',
        expected: 'flags only',
        remedy: 'remove it, or put the flag it belongs to before it',
      });
    afterUnknown = isFlag && !argument.includes('=');
  }
  return { values, problems };
}

/** Reads FERRY_* variables. Others are none of Ferry's business; unknown FERRY_* are refused. */
export function readEnvironment(
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Source {
  const nameOf = new Map(names.map((name) => [variableName(name), name]));
  const values = new Map<string, { text: string; origin: Origin }>();
  const problems: Problem[] = [];
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (!variable.startsWith(PREFIX) || text === undefined || PROGRAM_VARIABLES.includes(variable)) continue;
    const name = nameOf.get(variable);
    if (name !== undefined) values.set(name, { text, origin: { kind: 'env', variable } });
    else if (!isServiceLink(variable, text)) {
      // Without what all of them begin with: it would make any two look alike.
      const known = [...nameOf.keys(), ...PROGRAM_VARIABLES].map((each) => each.slice(PREFIX.length));
      const meant = nearest(variable.slice(PREFIX.length), known);
      const suggestion = meant === undefined ? undefined : PREFIX + meant;
      problems.push(unknownName(variable, 'variable', suggestion, '`ferry files --help` names all'));
    }
  }
  return { values, problems };
}

/** Reads one section of a YAML file. Keys are spelled as the flags; other sections are refused as unknown. */
export function readYaml(names: readonly string[], section: string, file: string, content: string): Source {
  const values = new Map<string, { text: string; origin: Origin }>();
  const problems: Problem[] = [];
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Origin & { kind: 'file' } => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', file, line, column: col };
  };
  for (const error of document.errors) {
    problems.push({
      where: whereText(at(error.pos[0])),
      wrong: `is not YAML: ${maskText(error.message)}`,
      expected: `\`${section}:\` and below it one "key: value" per line`,
      remedy: 'mend this line',
    });
  }
  if (problems.length > 0) return { values, problems, unreadable: true };

  const eachPair = (map: unknown, path: string, visit: (key: string, pair: Pair, origin: Origin) => void) => {
    if (map === null || (isScalar(map) && map.value === null)) return;
    if (!isMap(map)) {
      const offset = isNode(map) ? (map.range?.[0] ?? 0) : 0;
      problems.push(notOneValue(whereText(at(offset)), path === '' ? 'the file' : path, 'keys and values'));
      return;
    }
    for (const pair of (map as YAMLMap).items) {
      const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      visit(isScalar(pair.key) ? String(pair.key.value) : '?', pair, at(offset));
    }
  };

  eachPair(document.contents, '', (key, pair, origin) => {
    if (key !== section) {
      const meant = names.includes(key) ? `${section}: ${key}` : nearest(key, [section]);
      problems.push(
        unknownName(whereText(origin), `section "${key}"`, meant, `put settings below \`${section}:\``),
      );
      return;
    }
    eachPair(pair.value, section, (name, setting, place) => {
      const value = isScalar(setting.value) ? setting.value : undefined;
      const where = isNode(setting.value) && setting.value.range ? at(setting.value.range[0]) : place;
      if (!names.includes(name))
        problems.push(
          unknownName(
            whereText(place),
            `key "${name}"`,
            nearest(name, names),
            '`ferry files --help` names all',
          ),
        );
      else if (value === undefined || value.value === null)
        problems.push(notOneValue(whereText(where), `${section}.${name}`, 'one value'));
      else values.set(name, { text: scalarText(value), origin: where });
    });
  });
  return { values, problems };
}

/** Reads the file; a file that cannot be read is a problem, not an exception. */
export function readYamlFile(
  names: readonly string[],
  section: string,
  chosen: { readonly file: string; readonly where: string },
  readText: (path: string) => string,
): Source {
  try {
    return readYaml(names, section, chosen.file, readText(chosen.file));
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${messageOf(error)})`;
    const problem: Problem = {
      where: chosen.where,
      value: chosen.file,
      wrong: reason,
      expected: 'a readable YAML file',
      remedy: 'correct the path, or leave it out to use flags and FERRY_* variables only',
    };
    return { values: new Map(), problems: [problem], unreadable: true };
  }
}

/** As it was written: `0.50` stays so, and a number is not rounded on its way. */
function scalarText(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
}

function notOneValue(where: string, what: string, expected: string): Problem {
  return { where, wrong: `${what} is not ${expected}`, expected, remedy: 'write "key: value"' };
}

function unknownName(where: string, kind: string, meant: string | undefined, remedy: string): Problem {
  return {
    where,
    wrong: kind === 'flag' || kind === 'variable' ? `is an unknown ${kind}` : `unknown ${kind}`,
    expected: meant === undefined ? 'a known name' : `did you mean ${meant}?`,
    remedy,
  };
}
