// The cluster of `npm run test:cluster`: the one that KUBECONFIG names, with the images loaded where it is minikube's or
// kind's; otherwise a node of its own where this machine has the script for one. Sets KUBECONFIG and PATH for the tests.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/cli.ts';
import { makeFerryImage, makeS3Image } from './image.ts';
import { kubectl, tryKubectl } from './kubectl.ts';

/** Brings up a Kubernetes node from packages, takes it down, and says where it is: `up`, `down`, `env`, `load`. */
const SCRIPT = join(ROOT, '../shared/tools/cluster.sh');
/** Sizes are measured and containers restarted as soon as the kubelet can, so that the tests need not wait for minutes. */
const QUICK = {
  FERRY_CLUSTER_VOLUME_STATS: '10s',
  FERRY_CLUSTER_KUBELET:
    'featureGates: {KubeletCrashLoopBackOffMax: true}\ncrashLoopBackOff: {maxContainerRestartPeriod: 1s}',
};

export const NO_CLUSTER = 'FERRY_TEST_NO_CLUSTER';
const run = promisify(execFile);
type Undo = () => Promise<void>;

/** Answers what takes down again what was started here. Without a cluster the tests are told why by NO_CLUSTER. */
export async function prepareCluster(): Promise<Undo> {
  const nothing = async (): Promise<void> => {};
  const without = (why: string): Undo => {
    process.env[NO_CLUSTER] = why;
    return nothing;
  };
  const given = process.env.KUBECONFIG;
  if (given === undefined && !existsSync(SCRIPT))
    return without('needs a Kubernetes cluster: start minikube or kind and set KUBECONFIG');
  const s3 = await makeS3Image();
  if (typeof s3 !== 'string') return without(s3.missing);
  const archives = [await makeFerryImage(), s3];
  if (given !== undefined) {
    const reached = await tryKubectl(['get', 'nodes', '-o', 'name']);
    if (reached.exit !== 0) throw new Error(`The cluster of KUBECONFIG does not answer: ${reached.stderr}`);
    await loadInto((await kubectl(['config', 'current-context'])).trim(), archives);
    return nothing;
  }
  const was = await run(SCRIPT, ['status']).then(
    () => true,
    () => false,
  );
  console.log(
    was ? 'The cluster runs already.' : 'Starting a cluster; the first time this takes ten minutes.',
  );
  await run(SCRIPT, ['up'], { env: { ...process.env, ...QUICK } });
  const down: Undo = async () => {
    if (!was) await run(SCRIPT, ['down']);
  };
  try {
    const { stdout } = await run(SCRIPT, ['env']);
    const value = (name: string) => new RegExp(`^export ${name}=([^:\n]*)`, 'm').exec(stdout)?.[1] ?? '';
    process.env.KUBECONFIG = value('KUBECONFIG');
    process.env.PATH = `${value('PATH')}${delimiter}${process.env.PATH}`;
    await run(SCRIPT, ['load', ...archives]);
    return down;
  } catch (error) {
    await down();
    throw error;
  }
}

async function loadInto(context: string, archives: readonly string[]): Promise<void> {
  for (const archive of archives)
    if (context === 'minikube') await run('minikube', ['image', 'load', archive]);
    else if (context.startsWith('kind-'))
      await run('kind', ['load', 'image-archive', archive, '--name', context.slice('kind-'.length)]);
}
