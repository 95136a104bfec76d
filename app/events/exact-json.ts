// JSON in and out without losing a digit: a number that JavaScript cannot hold exactly is kept as it was written.

/**
 * Numbers that may not survive: 16 characters and longer, fractions that end in 0 or begin with many, exponents, minus
 * zero. Found where a value may stand; a hit inside a string costs time, never correctness.
 */
const RISKY = /[:[,]\s*-?(?:[\d.]{16}|\d+\.\d*0(?!\d)|0\.0{5}|\d+(?:\.\d+)?[eE])|[:[,]\s*-0(?![.\d])/;

/** The parsed object or list; `JSON.stringify` writes its numbers as they were. Throws SyntaxError for what is no JSON. */
export function parseExactly(text: string): unknown {
  return RISKY.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
}

/** Node 24 tells a reviver the number's own spelling and can write it again (proposal-json-parse-with-source). */
const { rawJSON, isRawJSON } = JSON as typeof JSON & {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
};

function keepNumber(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return JSON.stringify(value) === context.source ? value : rawJSON(context.source);
}

/** A number kept as it was written, as a text; undefined for anything else. */
export function rawNumber(value: unknown): string | undefined {
  return isRawJSON(value) ? JSON.stringify(value) : undefined;
}

/** The value at a path of names with dots; undefined when there is none. */
export function at(value: unknown, path: string): unknown {
  if (path === '') return value;
  let found = value;
  for (const name of path.split('.')) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name]; // an object that has this key
  }
  return found;
}
