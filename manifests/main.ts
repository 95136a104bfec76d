// `npm run synth [target …]` and `cdk8s synth`: reads Pulumi.<target>.yaml, writes dist/<target>/*.yaml.
//
//   node manifests/main.ts                       every target there is settings for
//   node manifests/main.ts minikube --out DIR    one, elsewhere
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, FerryError } from '../app/core/errors.ts';
import { readEvents } from './events/read.ts';
import { keptKeys } from './s3-keys.ts';
import { readBeside, readText } from './settings/files.ts';
import { readTarget } from './settings/read.ts';
import { type Files, synthesize, writeFiles } from './synth.ts';
import { targetCharts } from './target.ts';

const ROOT = dirname(import.meta.dirname);
const SETTINGS = /^Pulumi\.([a-z0-9-]+)\.yaml$/;

async function main(): Promise<void> {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, settings: { type: 'string' }, keys: { type: 'string' } },
  });
  const settingsDirectory = flags.settings ?? ROOT;
  const out = flags.out ?? process.env.CDK8S_OUTDIR ?? join(ROOT, 'dist');
  const keys = flags.keys ?? join(ROOT, '.ferry');
  const names = positionals.length > 0 ? positionals : targetsIn(settingsDirectory);
  const made: [name: string, files: Files][] = [];
  const refused: FerryError[] = [];
  for (const name of names)
    try {
      const file = `Pulumi.${name}.yaml`;
      const content = readSettings(settingsDirectory, file);
      const settings = readTarget(file, content);
      const events = readEvents(file, content, settings, (path) => readBeside(settingsDirectory, path));
      const target = targetCharts(name, settings, () => keptKeys(keys, name), events);
      made.push([name, await synthesize(target)]);
    } catch (error) {
      if (!(error instanceof FerryError)) throw error;
      refused.push(error);
    }
  const [first] = refused;
  if (first !== undefined) {
    for (const { message, remedy } of refused) process.stderr.write(`${message}\n${remedy}\n`);
    process.exitCode = EXIT[first.exit];
    return;
  }
  for (const [name, files] of made)
    for (const path of writeFiles(out, name, files))
      process.stdout.write(`${relative(process.cwd(), path)}\n`);
}

function targetsIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => SETTINGS.exec(name)?.[1] ?? [])
    .sort();
}

function readSettings(directory: string, file: string): string {
  const remedy = `Targets are ${targetsIn(directory).join(', ') || 'none: add a Pulumi.<target>.yaml'}.`;
  return readText(join(directory, file), remedy);
}

await main();
