// The API key as a value that cannot be printed: not by a log, not by JSON, not by an error, not by a debugger's eye.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { FerryError, messageOf } from '../core/errors.ts';

/** A text that shows as `***` wherever it is printed. */
export interface Secret {
  /** The text itself: for the request alone. */
  reveal(): string;
  /** Any text without the secret in it, in whatever usual spelling. */
  mask(text: string): string;
}

const SHOWN = '***';
/** A shorter one would blot out half of every line, and is no key. */
const LEAST_LENGTH = 6;

export function createSecret(text: string): Secret {
  const spellings = [
    text,
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
    ...base64Spellings(text),
  ].filter((spelling) => spelling.length >= LEAST_LENGTH);
  // The longest first: one spelling may begin with another.
  const hidden = [...new Set(spellings)].sort((a, b) => b.length - a.length);
  const secret = {
    reveal: () => text,
    mask: (whole: string) => hidden.reduce((rest, spelling) => rest.replaceAll(spelling, SHOWN), whole),
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  };
  return Object.freeze(secret);
}

/** No key at all: an API without one. */
export const NO_SECRET: Secret = createSecret('');

/** In base64 a text looks different at each of three offsets; the characters that depend on its neighbours are left off. */
function base64Spellings(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(`${'\0'.repeat(offset)}${text}`)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(offset === 0 ? 0 : offset + 1, -1);
  });
}

/** The key from the environment: the variable itself, or the file that `<variable>_FILE` names. Throws FerryError `config`. */
export function readKey(variable: string, env: Readonly<Record<string, string | undefined>>): Secret {
  const path = env[`${variable}_FILE`];
  const text = (path === undefined ? (env[variable] ?? '') : readMounted(path, variable)).trim();
  if (text === '')
    throw new FerryError(
      'config',
      `The API key is missing: neither ${variable} nor ${variable}_FILE holds one.`,
      `Set ${variable} in the environment, or ${variable}_FILE to the path of a mounted file that holds the key. Never write it into the settings.`,
    );
  if (/[^\x21-\x7e]/.test(text))
    throw new FerryError(
      'config',
      `The API key in ${variable} holds spaces or characters that no header can carry.`,
      'Copy the key again, without quotes and line breaks.',
    );
  if (text.length < LEAST_LENGTH)
    throw new FerryError(
      'config',
      `The API key in ${variable} has fewer than ${LEAST_LENGTH} characters.`,
      'Copy the whole key.',
    );
  return createSecret(text);
}

function readMounted(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new FerryError(
      'config',
      `The key file ${path} (${variable}_FILE) cannot be read: ${messageOf(error)}.`,
      'Mount the file, or mend its path or permissions.',
      { cause: error },
    );
  }
}
