// Programs of Go that tests use: found on PATH, in Go's own folder or in .cache/bin, otherwise installed there.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '../../.cache/bin');
const run = promisify(execFile);

/** The program's path, or what this machine lacks, for `t.skip`. @param module with its version: `example.com/a@v1.2.3` */
export async function findGoProgram(
  name: string,
  module: string,
): Promise<string | { readonly missing: string }> {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name));
  const found = [...onPath, join(CACHE, name)].find((file) => existsSync(file));
  if (found) return found;
  let goPath: string;
  try {
    goPath = (await run('go', ['env', 'GOPATH'])).stdout.trim();
  } catch {
    return { missing: `needs ${name}, or Go to install it` };
  }
  const inGoPath = join(goPath, 'bin', name);
  if (existsSync(inGoPath)) return inGoPath;
  return install(name, module);
}

/** Built aside and renamed into place, so that two processes at once do no harm. Takes about a minute. */
async function install(name: string, module: string): Promise<string | { readonly missing: string }> {
  const aside = join(CACHE, `.install-${name}-${process.pid}`);
  await mkdir(aside, { recursive: true });
  try {
    await run('go', ['install', module], { env: { ...process.env, GOBIN: aside } });
    await rename(join(aside, name), join(CACHE, name));
    return join(CACHE, name);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `needs ${name}; "go install ${module}" failed: ${reason}` };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
