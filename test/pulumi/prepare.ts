// What `npm run test:pulumi` needs from the machine: the Pulumi engine with its plug-ins, moto (AWS's API without AWS)
// and a Kubernetes. What is on PATH and in KUBECONFIG is taken; otherwise scripts beside the checkout make it, where
// they are. Sets PATH and KUBECONFIG for the tests; what is missing is told to them by NEEDS.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../app/core/errors.ts';
import { NO_CLUSTER, prepareCluster } from '../cluster/prepare.ts';
import { ROOT } from '../support/cli.ts';

const PULUMI_SCRIPT = join(ROOT, '../shared/tools/pulumi-tools.sh');
const MOTO = join(ROOT, '.cache/moto-5.2.5');

/** Set to the reason when something is missing. */
export const NEEDS = {
  pulumi: 'FERRY_TEST_NO_PULUMI',
  moto: 'FERRY_TEST_NO_MOTO',
  cluster: NO_CLUSTER,
};

const run = promisify(execFile);
type Undo = () => Promise<void>;

/** Answers what takes down again what was started here. */
export async function preparePulumi(): Promise<Undo> {
  // Pulumi starts the program with the first `node` on PATH, and it must be this one.
  process.env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  await tell(NEEDS.pulumi, findPulumi);
  await tell(NEEDS.moto, findMoto);
  return prepareCluster();
}

async function tell<T>(variable: string, find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    process.env[variable] = messageOf(error).split('\n')[0];
    return undefined;
  }
}

async function findPulumi(): Promise<void> {
  if (await isOnPath('pulumi', ['version'])) return;
  if (!existsSync(PULUMI_SCRIPT)) throw new Error('needs pulumi on the PATH');
  const { stdout } = await run(PULUMI_SCRIPT, []);
  process.env.PATH = `${process.env.PATH}${delimiter}${stdout.trim()}`;
}

/** One version for all: others check signatures otherwise. */
async function findMoto(): Promise<void> {
  const bin = join(MOTO, 'bin');
  if (!existsSync(join(bin, 'moto_server'))) {
    if (!(await isOnPath('python3', ['-m', 'venv', '--help'])))
      throw new Error('needs Python to install moto_server');
    await run('python3', ['-m', 'venv', MOTO]);
    await run(join(bin, 'pip'), ['install', '--quiet', 'moto[server]==5.2.5']).catch((error: unknown) => {
      throw new Error(`needs moto_server; pip cannot install it: ${messageOf(error).split('\n').at(-1)}`);
    });
  }
  process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;
}

async function isOnPath(program: string, words: readonly string[]): Promise<boolean> {
  return run(program, words).then(
    () => true,
    () => false,
  );
}
