// The command the image runs, read from the Dockerfile, so that what is measured and tested is what is shipped.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cli.ts';

/** Node with the image's flags and environment, running this bundle. */
export function imageCommand(
  bundle: string,
  dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8'),
): string[] {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1];
  if (entry === undefined) throw new Error('The Dockerfile has no ENTRYPOINT in its JSON form.');
  const words: unknown = JSON.parse(entry);
  if (!Array.isArray(words)) throw new Error('The ENTRYPOINT is no list.');
  const flags = words
    .slice(1)
    .map(String)
    .filter((word) => word.startsWith('-'));
  const arenas = /MALLOC_ARENA_MAX=\d+/.exec(dockerfile)?.[0];
  return [...(arenas === undefined ? [] : ['env', arenas]), process.execPath, ...flags, bundle];
}
