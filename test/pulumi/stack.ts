// A stack of the real program in a project folder of its own: settings, state and Pulumi's home all go with the test.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument, stringify } from 'yaml';
import { ROOT } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

export type Settings = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One step of a plan, as `pulumi preview --json` tells it. */
export interface Step {
  readonly op: string;
  /** `aws:s3/bucketPolicy:BucketPolicy data`. */
  readonly what: string;
  /** Inputs that differ: `rules.0.expiration.days`. */
  readonly differs: readonly string[];
}

export interface Stack {
  readonly name: string;
  readonly directory: string;
  /** Writes the settings anew; `undefined` leaves one out. */
  write(settings: Settings): void;
  /** Runs Pulumi to its end; `interrupt` is Ctrl-C. */
  run(
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
    interrupt?: AbortSignal,
  ): Promise<Answer>;
  up(): Promise<Answer>;
  /** What would be done, without what stays the same. */
  plan(...words: readonly string[]): Promise<Step[]>;
  outputs(): Promise<Record<string, unknown>>;
}

const SERVICES = ['s3', 'iam', 'sts', 'kms', 'sns', 'sqs', 'eks', 'ec2', 'cloudwatch'];
const LONGEST_MS = 420_000;

/** Pulumi's own settings for an AWS that is moto. */
export function motoConfig(endpoint: string, region: string): Record<string, string> {
  return {
    'aws:region': region,
    'aws:accessKey': 'test',
    'aws:secretKey': 'test',
    'aws:s3UsePathStyle': 'true',
    'aws:skipCredentialsValidation': 'true',
    'aws:skipRequestingAccountId': 'true',
    'aws:skipMetadataApiCheck': 'true',
    'aws:maxRetries': '1',
    'aws:endpoints': JSON.stringify([Object.fromEntries(SERVICES.map((name) => [name, endpoint]))]),
  };
}

/**
 * @param around settings beside Ferry's own, with their section
 * @param more environment of every run
 * @param files what the settings name, by path
 */
export async function makeStack(
  t: Pick<TestContext, 'after'>,
  settings: Settings,
  around: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const directory = await tempDir(t);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  const name = 'test';
  const project = parseDocument(readFileSync(join(ROOT, 'Pulumi.yaml'), 'utf8'));
  project.set('main', join(ROOT, String(project.get('main'))));
  writeFileSync(join(directory, 'Pulumi.yaml'), project.toString());
  const state = await tempDir(t);
  const base = {
    ...process.env,
    PULUMI_HOME: join(state, 'home'),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: 'x',
    PULUMI_SKIP_UPDATE_CHECK: '1',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...more,
  };
  let salt = {};
  const write = (values: Settings): void => {
    const ours = Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[`ferry:${key}`, value]],
    );
    const file = join(directory, `Pulumi.${name}.yaml`);
    writeFileSync(file, stringify({ ...salt, config: { ...around, ...Object.fromEntries(ours) } }));
  };
  const run: Stack['run'] = (words, env = {}, interrupt) =>
    new Promise((resolve, reject) => {
      const child = spawn('pulumi', [...words], {
        cwd: directory,
        env: { ...base, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LONGEST_MS,
      });
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          said[stream] += text;
        });
      interrupt?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
      child.on('error', reject);
      child.on('close', (exit) => resolve({ exit: exit ?? -1, ...said }));
    });
  write(settings);
  await succeeded(run(['stack', 'init', name]));
  const written = parseDocument(readFileSync(join(directory, `Pulumi.${name}.yaml`), 'utf8'));
  salt = { encryptionsalt: written.get('encryptionsalt') };
  return {
    name,
    directory,
    write,
    run,
    up: () => run(['up', '--yes', '--non-interactive', '--stack', name]),
    async plan(...words) {
      const { stdout } = await succeeded(
        run(['preview', '--json', '--non-interactive', '--stack', name, ...words]),
      );
      return stepsOf(stdout);
    },
    async outputs() {
      const { stdout } = await succeeded(run(['stack', 'output', '--json', '--stack', name]));
      return JSON.parse(stdout);
    },
  };
}

/** The answer of a run that must go well. */
export async function succeeded(running: Promise<Answer>): Promise<Answer> {
  const answer = await running;
  if (answer.exit === 0) return answer;
  throw new Error(
    `Pulumi ended with ${answer.exit}:\n${answer.stdout.slice(-4_000)}\n${answer.stderr.slice(-4_000)}`,
  );
}

interface PlanStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: { readonly inputs?: unknown };
  readonly newState?: { readonly inputs?: unknown };
}

const NOTHING_DONE: ReadonlySet<string> = new Set(['same', 'read', 'refresh']);

function stepsOf(json: string): Step[] {
  // The shape that Pulumi documents for `preview --json`.
  const { steps } = JSON.parse(json.slice(json.indexOf('{'))) as { steps: readonly PlanStep[] };
  return steps
    .filter(({ op }) => !NOTHING_DONE.has(op))
    .map(({ op, urn, oldState, newState }) => {
      const [, , types = '', name = ''] = urn.split('::');
      return {
        op,
        what: `${types.split('$').at(-1)} ${name}`,
        differs: [...differing(oldState?.inputs, newState?.inputs)],
      };
    });
}

/** Paths of the values that are not the same on both sides. */
function* differing(one: unknown, other: unknown, path = ''): Generator<string> {
  if (isDeepStrictEqual(one, other)) return;
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') {
    yield path;
    return;
  }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)]))
    yield* differing(Reflect.get(one, key), Reflect.get(other, key), path === '' ? key : `${path}.${key}`);
}
