// What the image is, read from the Dockerfile, so that what is measured and tested is what is shipped.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cli.ts';

/** How the image's containers run. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly User: string;
  /** `NAME=value`. */
  readonly Env: readonly string[];
}

/** The last stage's ENTRYPOINT, CMD, USER and ENV. */
export function imageConfig(dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')): ImageConfig {
  const lines = dockerfile.replaceAll(/\\\n\s*/g, ' ');
  const stage = lines.slice(Math.max(0, lines.lastIndexOf('\nFROM ')));
  const entrypoint = listOf(stage, 'ENTRYPOINT');
  if (entrypoint === undefined) throw new Error('The Dockerfile has no ENTRYPOINT in its JSON form.');
  return {
    Entrypoint: entrypoint,
    Cmd: listOf(stage, 'CMD') ?? [],
    User: /^USER (\S+)$/m.exec(stage)?.[1] ?? '',
    Env: /^ENV (.+)$/m.exec(stage)?.[1]?.split(/\s+/) ?? [],
  };
}

/** Node with the image's flags and environment, running this bundle. */
export function imageCommand(bundle: string, dockerfile?: string): string[] {
  const { Entrypoint, Env } = imageConfig(dockerfile);
  const flags = Entrypoint.slice(1).filter((word) => word.startsWith('-'));
  const malloc = Env.filter((one) => one.startsWith('MALLOC_'));
  return [...(malloc.length === 0 ? [] : ['env', ...malloc]), process.execPath, ...flags, bundle];
}

function listOf(stage: string, instruction: string): string[] | undefined {
  const text = new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(stage)?.[1];
  if (text === undefined) return undefined;
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words)) throw new Error(`The Dockerfile's ${instruction} is no list.`);
  return words.map(String);
}
