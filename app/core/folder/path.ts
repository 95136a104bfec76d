// From a key to a path inside the folder: which keys cannot be one, and the directories above it.
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, StoreError } from '../errors.ts';
import { RESERVED, syncDirectory } from './temp.ts';

/** S3's limit: what it would refuse is refused here too. */
const MAX_KEY_BYTES = 1_024;
const KNOWN_DIRECTORIES = 4_096;

export interface Parents {
  /** Makes the directories above a key; throws `bad-request` when a file or symbolic link is in the way. */
  make(key: string): void;
  /** Looks at every directory again from now on. */
  forget(): void;
}

export function createParents(root: string): Parents {
  const known = new Set<string>();
  return {
    make(key) {
      for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
        const parent = key.slice(0, slash);
        if (known.has(parent)) continue;
        makeDirectory(join(root, parent), key);
        if (known.size >= KNOWN_DIRECTORIES) known.clear();
        known.add(parent);
      }
    },
    forget() {
      known.clear();
    },
  };
}

function makeDirectory(path: string, key: string): void {
  try {
    mkdirSync(path);
    syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if (lstatSync(path).isDirectory()) return;
    const message = `The key ${key} needs a directory ${path}, but that is a file or link. Choose another key.`;
    throw new StoreError('bad-request', message, { cause: error });
  }
}

/** Throws `bad-request` for what a path cannot hold and for what would lead out of the folder. */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const odd = segments.find((segment) => segment === '' || segment === '.' || segment === '..');
  let why: string | undefined;
  if (odd !== undefined) why = `a part of it is "${odd}"`;
  else if (segments[0] === RESERVED) why = `${RESERVED} is reserved`;
  else if (key.includes('\0')) why = 'it holds a NUL character';
  else if (!key.isWellFormed()) why = 'it is not valid Unicode';
  else if (Buffer.byteLength(key) > MAX_KEY_BYTES) why = `it is longer than ${MAX_KEY_BYTES} bytes`;
  if (why === undefined) return;
  throw new StoreError('bad-request', `The key ${JSON.stringify(key)} cannot be a path: ${why}.`);
}
