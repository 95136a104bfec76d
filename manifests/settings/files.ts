// The files of a target as texts: its settings, and what they name beside them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf, FerryError, messageOf } from '../../app/core/errors.ts';

/** @throws FerryError `config` with this remedy */
export function readText(path: string, remedy: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`;
    throw new FerryError('config', `${path} ${reason}.`, remedy);
  }
}

/** A file that a target's settings name; relative paths start where those lie. @throws FerryError `config` */
export function readBeside(directory: string, path: string): string {
  return readText(resolve(directory, path), 'Mend its name in ferry-events:settings, or write the file.');
}
