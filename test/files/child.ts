// A part of the program in a process of its own: to be killed, to be another user, or to have few descriptors.
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** `nobody`'s number on every Linux. */
export const NOBODY = 65_534;

export const isRoot = process.getuid?.() === 0;

export interface ChildResult {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a module's text, in which `app('files/free.ts')` is the path to import from and `args` what was given.
 * @param options.plain without root's powers: as nobody where the test runs as root
 */
export function runChild(
  code: string,
  args: readonly string[],
  options: { readonly plain?: boolean; readonly maxOpenFiles?: number } = {},
): ChildResult {
  const { plain = false, maxOpenFiles } = options;
  const app = pathToFileURL(join(import.meta.dirname, '../../app/')).href;
  const text = `const app = (path) => ${JSON.stringify(app)} + path; const args = process.argv.slice(1);\n${code}`;
  const node = [process.execPath, '--input-type=module', '-e', text, ...args];
  const limited =
    maxOpenFiles === undefined ? node : ['sh', '-c', `ulimit -n ${maxOpenFiles}; exec "$0" "$@"`, ...node];
  const [command = '', ...words] = limited;
  const { status, signal, stdout, stderr } = spawnSync(command, words, {
    encoding: 'utf8',
    timeout: 120_000,
    cwd: '/',
    ...(plain && isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return { exit: status, signal, stdout, stderr };
}

/** Lets another user look into a test's directory. */
export function openToAll(directory: string): void {
  chmodSync(directory, 0o755);
}
