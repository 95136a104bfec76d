// One test's own namespace with a site in it: the manifests as `npm run synth` writes them from a settings file, applied,
// with the S3 server's volume where the cluster makes none. Everything is gone after the test; what went wrong is told.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { documentsOf } from '../../manifests/synth.ts';
import { at, list } from '../manifests/targets.ts';
import { ROOT } from '../support/cli.ts';
import { until } from '../support/temp.ts';
import { FERRY_IMAGE, S3_IMAGE } from './image.ts';
import { kubectl, kubectlJson, tryKubectl } from './kubectl.ts';
import { NO_CLUSTER } from './prepare.ts';

export const POD = ['spec', 'template', 'spec'] as const;
const WRITER_PODS = 'app.kubernetes.io/component=writer';
/** A look at the cluster starts a kubectl: 0.1 s of CPU. */
export const LOOK_MS = 1_000;
/** Three sites at a time start, roll over and are looked at on two busy cores. */
const PATIENCE_MS = 240_000;
const PATIENCE = `--timeout=${PATIENCE_MS / 1_000}s`;
const run = promisify(execFile);

export interface Site {
  readonly namespace: string;
  readonly bucket: string;
  /** Of the test; gone after it. */
  readonly directory: string;
  /** Runs after the test, when the pods are gone and the directory is still there. */
  atEnd(cleanUp: () => Promise<unknown>): void;
  /** The folder that `kubectl apply -f` takes. */
  readonly manifests: string;
  /** kubectl in this namespace. */
  kubectl(...words: string[]): Promise<string>;
  /** What `kubectl … -o json` prints in this namespace. */
  json(...words: string[]): Promise<unknown>;
  /** All pods of the writer: those too that have ended or are about to. */
  pods(): Promise<Pod[]>;
  /** The one pod of the writer; undefined when there is none, or more than one. */
  pod(): Promise<Pod | undefined>;
  /** Waits until the writer's pod is as it is asked to be. @param what as in `until` */
  when(holds: (pod: Pod) => boolean | Promise<boolean>, what: string, deadlineMs?: number): Promise<Pod>;
  /** Waits until the writer's pod is ready. */
  ready(): Promise<Pod>;
  /** Waits until a value of Ferry's /metrics is as it is asked to be. */
  whenMetric(name: string, holds: (value: number) => boolean, deadlineMs?: number): Promise<void>;
  /** Runs JavaScript in a container of the writer's pod, once that runs, and answers what it prints. */
  node(container: string, script: string): Promise<string>;
  /** Ferry's /metrics without those that have labels; none while they cannot be had. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Sets the number of the S3 server's pods and waits until it is so. */
  scaleS3(replicas: 0 | 1): Promise<void>;
}

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly reason: string;
  readonly ready: boolean;
  restarts(container: string): number;
  /** `containerd://…` without its scheme; '' before it runs. */
  containerId(container: string): string;
  readonly object: unknown;
}

export interface SiteOptions {
  /** Settings beside those of Pulumi.minikube.yaml; undefined takes one away. */
  readonly values?: Readonly<Record<string, string | undefined>>;
  /** Changes objects before they are applied, where a test needs what no setting gives. */
  readonly patch?: (documents: readonly unknown[]) => void;
  /** Claims beside the S3 server's that the test makes. */
  readonly claims?: readonly string[];
  /** Nothing is applied: the test does. */
  readonly apply?: boolean;
  /** Turns events on: the text of their settings file, for the bucket of the site. */
  readonly events?: (bucket: string) => string;
}

/** Undefined, and the test marked as not run, when there is no cluster. */
export async function createSite(t: TestContext, options: SiteOptions = {}): Promise<Site | undefined> {
  const missing = process.env[NO_CLUSTER];
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const namespace = `ferry-${randomBytes(4).toString('hex')}`;
  const directory = await mkdtemp(join(tmpdir(), `${namespace}-`));
  const cleanUps: (() => Promise<unknown>)[] = [];
  let site: Site | undefined;
  t.after(async () => {
    if (site !== undefined && 'error' in t && t.error) t.diagnostic(await storyOf(site));
    // Without S3 a drain would last as long as it may.
    const all = ['--all', '--grace-period=1', '--wait=false'];
    await tryKubectl(['-n', namespace, 'delete', 'deployments', '--all', '--cascade=orphan']);
    await tryKubectl(['-n', namespace, 'delete', 'replicasets', '--all', '--cascade=orphan']);
    await tryKubectl(['-n', namespace, 'delete', 'pods', ...all]);
    await tryKubectl(['-n', namespace, 'wait', 'pods', '--all', '--for=delete', '--timeout=60s']);
    await tryKubectl(['delete', 'namespace', namespace, '--wait=false']);
    await tryKubectl(['delete', 'persistentvolumes', '-l', `ferry-test=${namespace}`, '--wait=false']);
    for (const cleanUp of cleanUps) await cleanUp();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  const settings = await settingsOf(namespace, options.values ?? {});
  const manifests = await rendered(directory, settings, options.patch, options.events);
  site = siteOf({ namespace, directory, manifests, bucket: String(settings.bucket), cleanUps });
  await provideVolumes(namespace, directory, ['ferry-s3', ...(options.claims ?? [])]);
  if (options.apply !== false) await kubectl(['apply', '-f', manifests]);
  return site;
}

/**
 * What a target's settings file says of Ferry: other programs' keys (`aws:region`) stand in it too. Files that it names
 * are named where they are.
 */
export function deliveredSettings(target: string): Record<string, unknown> {
  const file: unknown = parse(readFileSync(join(ROOT, `Pulumi.${target}.yaml`), 'utf8'));
  const own = Object.entries(Object(at(file, ['config']))).filter(([key]) => /^ferry(-events)?:/.test(key));
  return Object.fromEntries(
    own.map(([key, value]) => [
      key.replace(/^ferry:/, ''),
      key === 'ferry-events:settings' ? join(ROOT, String(value)) : value,
    ]),
  );
}

async function settingsOf(
  namespace: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, unknown>> {
  const images = { image: FERRY_IMAGE, 's3-image': S3_IMAGE };
  const address = await freeAddress();
  const all: Record<string, unknown> = {
    ...deliveredSettings('minikube'),
    ...images,
    namespace,
    'writer-notes': 'true',
    ...address,
    ...values,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Where pods cannot ask for names, the S3 server needs an address that is known beforehand. */
async function freeAddress(): Promise<{ 's3-cluster-ip'?: string }> {
  const names = await tryKubectl(['-n', 'kube-system', 'get', 'service', 'kube-dns']);
  if (names.exit === 0) return {};
  const api = await kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
  const [third, fourth] = randomBytes(2);
  return { 's3-cluster-ip': [...api.split('.').slice(0, 2), third, 1 + ((fourth ?? 0) % 254)].join('.') };
}

/** Writes the settings file and runs the program that makes YAML of it. */
export async function rendered(
  directory: string,
  settings: Readonly<Record<string, unknown>>,
  patch?: SiteOptions['patch'],
  events?: SiteOptions['events'],
): Promise<string> {
  const config = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name.includes(':') ? name : `ferry:${name}`, value]),
  );
  if (events !== undefined) {
    writeFileSync(join(directory, 'events.yaml'), events(String(settings.bucket)));
    config['ferry-events:settings'] = 'events.yaml';
  }
  writeFileSync(join(directory, 'Pulumi.test.yaml'), stringify({ config }));
  const out = join(directory, 'dist');
  const words = ['test', '--settings', directory, '--keys', directory, '--out', out];
  await run(process.execPath, [join(ROOT, 'manifests/main.ts'), ...words]);
  const folder = join(out, 'test');
  if (patch !== undefined)
    for (const name of readdirSync(folder)) {
      const documents = documentsOf(readFileSync(join(folder, name), 'utf8'));
      patch(documents);
      writeFileSync(join(folder, name), documents.map((one) => JSON.stringify(one)).join('\n---\n'));
    }
  return folder;
}

/** Whether the cluster's node is this machine: its directories and processes are the test's to use. */
export async function nodeIsHere(): Promise<boolean> {
  const nodes = list(at(await kubectlJson(['get', 'nodes']), ['items']));
  const [first] = list(at(nodes[0], ['status', 'addresses']));
  return nodes.length === 1 && (await isOwnAddress(String(at(first, ['address']))));
}

/** An address is this machine's when one may listen there; the list of interfaces leaves out those without traffic. */
async function isOwnAddress(address: string): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, address, () => resolve(true));
  });
  server.close();
  return listens;
}

/** A directory of the node as a volume for claims to come. */
export interface ProvidedVolume {
  /** A mount point, or a directory to be made. */
  readonly path: string;
  /** The one claim it is for; any claim of the storage class without it. */
  readonly claim?: string;
  readonly storageClass?: string;
}

/** Makes volumes for the claims of a site, where no storage class does. */
export async function provideVolumes(
  namespace: string,
  directory: string,
  claims: readonly string[],
): Promise<void> {
  const classes = list(at(await kubectlJson(['get', 'storageclasses']), ['items']));
  const preset = ['metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class'];
  if (classes.some((one) => at(one, preset) === 'true')) return;
  if (!(await nodeIsHere()))
    throw new Error('The cluster has no default storage class: the S3 server needs one.');
  // The directory of a test is its owner's alone; the pod's group must get through.
  chmodSync(directory, 0o755);
  for (const claim of claims) await provideVolume(namespace, { path: join(directory, claim), claim });
}

export async function provideVolume(namespace: string, volume: ProvidedVolume): Promise<void> {
  const { path, claim, storageClass } = volume;
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
  const node = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim };
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `${namespace}-${claim ?? 'any'}`, labels: { 'ferry-test': namespace } },
      spec: {
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        ...(claim === undefined ? {} : { claimRef }),
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        local: { path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      },
    }),
  );
}

interface Given extends Pick<Site, 'namespace' | 'directory' | 'manifests' | 'bucket'> {
  readonly cleanUps: (() => Promise<unknown>)[];
}

function siteOf({ cleanUps, ...given }: Given): Site {
  const { namespace } = given;
  const own = ['-n', namespace];
  const site: Site = {
    ...given,
    atEnd: (cleanUp) => cleanUps.push(cleanUp),
    kubectl: (...words) => kubectl([...own, ...words]),
    json: (...words) => kubectlJson([...own, ...words]),
    async pods() {
      return list(at(await site.json('get', 'pods', '-l', WRITER_PODS), ['items'])).map(podOf);
    },
    async pod() {
      const pods = await site.pods();
      return pods.length === 1 ? pods[0] : undefined;
    },
    async when(holds, what, deadlineMs = PATIENCE_MS) {
      let found: Pod | undefined;
      await until(
        async () => {
          const pod = await site.pod();
          if (pod !== undefined && (await holds(pod))) found = pod;
          return found !== undefined;
        },
        what,
        deadlineMs,
        LOOK_MS,
      );
      return found ?? podOf({});
    },
    async ready() {
      return site.when(({ ready }) => ready, 'the pod is ready');
    },
    async node(container, script) {
      const words = [
        'exec',
        'deployment/file-writer',
        '-c',
        container,
        '--',
        '/nodejs/bin/node',
        '-e',
        script,
      ];
      let answer = await tryKubectl(['-n', namespace, ...words]);
      const ran = async (): Promise<boolean> => {
        if (answer.exit !== 0) answer = await tryKubectl(['-n', namespace, ...words]);
        return answer.exit === 0;
      };
      await until(ran, `${container} runs a script`, PATIENCE_MS, LOOK_MS).catch((error: Error) => {
        throw new Error(`${error.message} ${answer.stderr.slice(-2_000)}`);
      });
      return answer.stdout;
    },
    async metrics() {
      const pod = await site.pod();
      if (pod === undefined) return new Map();
      const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}:9464/proxy/metrics`;
      const { stdout } = await tryKubectl(['get', '--raw', path]);
      const values = stdout.matchAll(/^(ferry_[a-z_]+) (\S+)$/gm);
      return new Map([...values].map(([, name = '', value]) => [name, Number(value)]));
    },
    async whenMetric(name, holds, deadlineMs = PATIENCE_MS) {
      const asked = async (): Promise<boolean> => {
        const value = (await site.metrics()).get(name);
        return value !== undefined && holds(value);
      };
      await until(asked, `${name} is as expected`, deadlineMs, LOOK_MS);
    },
    async scaleS3(replicas) {
      await site.kubectl('scale', 'deployment/ferry-s3', `--replicas=${replicas}`);
      if (replicas === 1) await site.kubectl('rollout', 'status', 'deployment/ferry-s3', PATIENCE);
      else
        await site.kubectl('wait', 'pods', '-l', 'app.kubernetes.io/component=s3', '--for=delete', PATIENCE);
    },
  };
  return site;
}

export function podOf(object: unknown): Pod {
  const of = (...path: (string | number)[]) => at(object, path);
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((kind) => list(of('status', kind)));
  const status = (name: string) => statuses.find((one) => at(one, ['name']) === name);
  return {
    object,
    name: String(of('metadata', 'name')),
    uid: String(of('metadata', 'uid')),
    phase: String(of('status', 'phase')),
    reason: String(of('status', 'reason') ?? ''),
    ready: list(of('status', 'conditions')).some(
      (one) => at(one, ['type']) === 'Ready' && at(one, ['status']) === 'True',
    ),
    restarts: (container) => Number(at(status(container), ['restartCount']) ?? 0),
    containerId: (container) =>
      String(at(status(container), ['containerID']) ?? '').replace(/^[a-z-]+:\/\//, ''),
  };
}

/** What somebody would look at first: pods, events, the last lines of every container. */
async function storyOf(site: Site): Promise<string> {
  const parts = [
    ['get', 'pods', '-o', 'wide'],
    ['get', 'events', '--sort-by=.lastTimestamp'],
    ['logs', 'deployment/file-writer', '--all-containers', '--prefix', '--tail=25'],
    ['logs', 'deployment/ferry-s3', '--all-containers', '--prefix', '--tail=10'],
  ];
  const told = await Promise.all(parts.map((words) => tryKubectl(['-n', site.namespace, ...words])));
  return told.map(({ stdout, stderr }) => (stdout + stderr).replaceAll(/^(.{300}).*$/gm, '$1 …')).join('\n');
}
