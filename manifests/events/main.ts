// `node manifests/events/main.ts [target …] [--out DIR]`: for each target whose Pulumi.<target>.yaml holds
// `ferry-events:settings`, writes dist/<target>-events/*.yaml.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, FerryError, messageOf } from '../../app/core/errors.ts';
import { synthesize, writeFiles } from '../synth.ts';
import { eventsTarget } from './target.ts';

const ROOT = dirname(dirname(import.meta.dirname));

async function main(): Promise<void> {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, settings: { type: 'string' } },
  });
  const directory = flags.settings ?? ROOT;
  const out = flags.out ?? join(ROOT, 'dist');
  const files = readdirSync(directory).filter((name) => /^Pulumi\.[a-z0-9-]+\.yaml$/.test(name));
  const names = positionals.length > 0 ? positionals : files.map((name) => name.slice(7, -5)).sort();
  for (const name of names) {
    const file = `Pulumi.${name}.yaml`;
    const target = eventsTarget(name, file, read(directory, file), (path) => read(directory, path));
    if (target === undefined) {
      process.stdout.write(`${file} turns no events on: it has no ferry-events:settings\n`);
      continue;
    }
    for (const path of writeFiles(out, `${name}-events`, await synthesize(target)))
      process.stdout.write(`${relative(process.cwd(), path)}\n`);
  }
}

function read(directory: string, path: string): string {
  try {
    return readFileSync(resolve(directory, path), 'utf8');
  } catch (error) {
    throw new FerryError(
      'config',
      `${resolve(directory, path)} cannot be read: ${messageOf(error)}.`,
      'Mend its path.',
    );
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FerryError)) throw error;
  process.stderr.write(`${error.message}\n${error.remedy}\n`);
  process.exitCode = EXIT[error.exit];
}
