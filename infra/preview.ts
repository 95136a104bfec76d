// `npm run preview [target]`: what `pulumi up` would make from nothing, by Pulumi's own engine, with no account, no
// cluster and no login. It works in a project of its own below .ferry, so no state and no file of yours is touched.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import { EXIT, errnoOf, FerryError } from '../app/core/errors.ts';
import { readEvents } from '../manifests/events/read.ts';
import { EVENTS_SECTION } from '../manifests/events/settings.ts';
import { readBeside } from '../manifests/settings/files.ts';
import { readTarget } from '../manifests/settings/read.ts';

const ROOT = dirname(import.meta.dirname);
const INSTALL = 'https://www.pulumi.com/docs/iac/download-install/';
const HELP = `Usage: npm run preview -- [target] [--diff] [--json]

Shows what "pulumi up" would make from nothing; asks neither AWS nor a cluster.

  npm run preview                       staging
  npm run preview -- minikube           another target
  npm run preview -- staging --diff     every property
  npm run preview -- staging --json     for a program
`;

function main(): number {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: { diff: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (flags.help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [target = 'staging'] = positionals;
  const file = `Pulumi.${target}.yaml`;
  const text = settingsText(file);
  readEvents(file, text, readTarget(file, text), (path) => readBeside(ROOT, path));

  const project = join(ROOT, '.ferry/preview', target);
  mkdirSync(join(project, 'state'), { recursive: true });
  writeFileSync(join(project, 'Pulumi.yaml'), projectFile());
  writeFileSync(join(project, file), movedSettings(text));
  const env = {
    PULUMI_BACKEND_URL: `file://${join(project, 'state')}`,
    // Nothing is kept that would be secret: the stack never comes to be.
    PULUMI_CONFIG_PASSPHRASE: '',
    FERRY_PREVIEW_OFFLINE: 'true',
  };
  const chosen = pulumi(project, env, ['stack', 'select', target, '--create'], 'pipe');
  if (chosen !== 0) return chosen;
  const wish = [...(flags.diff ? ['--diff'] : []), ...(flags.json ? ['--json'] : [])];
  const exit = pulumi(project, env, ['preview', '--stack', target, '--non-interactive', ...wish], 'inherit');
  if (exit === 0 && !flags.json)
    process.stdout.write(
      `Nobody was asked: with an account, \`pulumi preview --stack ${target}\` compares with what is there (docs/staging.md).\n`,
    );
  return exit;
}

function settingsText(file: string): string {
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const targets = readdirSync(ROOT).flatMap((name) => /^Pulumi\.([a-z0-9-]+)\.yaml$/.exec(name)?.[1] ?? []);
    throw new FerryError('config', `${file} does not exist.`, `Targets are ${targets.sort().join(', ')}.`);
  }
}

/** The settings as they are, with the file that they name where it is. */
function movedSettings(text: string): string {
  const settings = parseDocument(text);
  const named = ['config', `${EVENTS_SECTION}settings`];
  if (settings.hasIn(named)) settings.setIn(named, resolve(ROOT, String(settings.getIn(named))));
  return settings.toString();
}

/** The project as it is, with the program where it is. */
function projectFile(): string {
  const project = parseDocument(readFileSync(join(ROOT, 'Pulumi.yaml'), 'utf8'));
  project.set('main', join(ROOT, String(project.get('main'))));
  return project.toString();
}

/** Runs Pulumi to its end; its exit code. What it says is shown, or only if it fails. */
function pulumi(
  directory: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[],
  output: 'inherit' | 'pipe',
): number {
  const { error, status, stdout, stderr } = spawnSync('pulumi', words, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
    encoding: 'utf8',
  });
  if (error !== undefined) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new FerryError('config', "Pulumi's command line is not on the PATH.", `Install it: ${INSTALL}`);
  }
  if (status !== 0 && output === 'pipe') process.stderr.write(`${stdout}${stderr}`);
  return status ?? EXIT.internal;
}

try {
  process.exitCode = main();
} catch (error) {
  const wrongFlag = errnoOf(error)?.startsWith('ERR_PARSE_ARGS') === true;
  if (!(error instanceof FerryError) && !wrongFlag) throw error;
  const { message, remedy } = error instanceof FerryError ? error : { message: String(error), remedy: HELP };
  process.stderr.write(`${message.replaceAll(`${ROOT}/`, '')}\n${remedy}\n`);
  process.exitCode = EXIT.config;
}
