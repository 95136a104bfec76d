// `ferry events` on a real Kubernetes: what `npm run synth` writes for a target that turns events on, against the bundled
// API as a pod and the S3 server of the site. The key is in a Secret alone, and that API answers nobody without it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addDays, dayOf, daysFrom } from '../../app/events/days.ts';
import { SAMPLE_KEY } from '../../app/events/sample/api.ts';
import { at, list } from '../manifests/targets.ts';
import { until } from '../support/temp.ts';
import { FERRY_IMAGE } from './image.ts';
import { kubectl } from './kubectl.ts';
import { storedObjects } from './sides.ts';
import { createSite, deliveredSettings, LOOK_MS, rendered, type Site } from './site.ts';

const PORT = 8_377;
const TYPES = ['charge', 'refund'];
const PATIENCE_MS = 280_000;

/** The API's settings, for event types of which the last may be one that it does not know. */
const file = (address: string, bucket: string, types: readonly string[]) =>
  [
    `url: http://${address}:${PORT}/events`,
    `s3_bucket: ${bucket}`,
    's3_key: events',
    's3: { path_style: true }',
    'lookback: 3',
    'retry_time_delta: 0.2',
    `events: [${types.join(', ')}]`,
    '',
  ].join('\n');

/** A site without its writer: the S3 server, the sample API, and what `manifests` of events says. */
async function eventsSite(t: TestContext): Promise<{ site: Site; apply: Apply } | undefined> {
  const site = await createSite(t, { values: { prefix: 'files' }, apply: false });
  if (site === undefined) return undefined;
  for (const name of ['0-namespace.yaml', '1-s3.yaml'])
    await kubectl(['apply', '-f', join(site.manifests, name)]);
  await kubectl(['apply', '-f', '-'], JSON.stringify(sampleApi(site.namespace)));
  const secret = ['create', 'secret', 'generic', 'ferry-events', `--from-literal=API_KEY=${SAMPLE_KEY}`];
  await site.kubectl(...secret);
  const address = await site.kubectl('get', 'service', 'sample-api', '-o', 'jsonpath={.spec.clusterIP}');
  const s3 = await site.kubectl('get', 'service', 'ferry-s3', '-o', 'jsonpath={.spec.clusterIP}');
  await site.kubectl('rollout', 'status', 'deployment/ferry-s3', '--timeout=240s');
  await site.kubectl('wait', 'pod/sample-api', '--for=condition=Ready', '--timeout=240s');
  const apply: Apply = async (types, span = {}) => {
    const directory = join(site.directory, `events-${types.join('-')}-${Object.values(span).join('-')}`);
    mkdirSync(directory);
    const settings = {
      ...deliveredSettings('minikube'),
      image: FERRY_IMAGE,
      namespace: site.namespace,
      's3-cluster-ip': s3,
      prefix: 'files',
      ...span,
    };
    const folder = await rendered(directory, settings, undefined, (bucket) => file(address, bucket, types));
    await kubectl(['apply', '-f', join(folder, '4-events.yaml')]);
  };
  return { site, apply };
}

/** @param span first and last day of a backfill */
type Apply = (types: readonly string[], span?: Readonly<Record<string, string>>) => Promise<void>;

function sampleApi(namespace: string): object {
  const labels = { app: 'sample-api' };
  const metadata = { name: 'sample-api', namespace, labels };
  const container = {
    name: 'api',
    image: FERRY_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    args: ['events', 'sample-api', '--host=0.0.0.0', `--port=${PORT}`],
    readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      runAsUser: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const spec = { containers: [container], terminationGracePeriodSeconds: 1 };
  const ports = [{ port: PORT }];
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Pod', metadata, spec },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
      {
        // The namespace is closed, where something sees to it.
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: { podSelector: { matchLabels: labels }, policyTypes: ['Ingress'], ingress: [{}] },
      },
    ],
  };
}

/** Waits until the job has ended, and answers its status. */
async function ended(site: Site, job: string): Promise<unknown> {
  let status: unknown;
  const isOver = async (): Promise<boolean> => {
    status = at(await site.json('get', 'job', job), ['status']);
    return list(at(status, ['conditions'])).some(
      (one) => ['Complete', 'Failed'].includes(String(at(one, ['type']))) && at(one, ['status']) === 'True',
    );
  };
  await until(isOver, `the job ${job} ends`, PATIENCE_MS, LOOK_MS).catch(async (error: Error) => {
    const logs = await site.kubectl('logs', `job/${job}`, '--tail=20').catch(String);
    throw new Error(`${error.message} ${JSON.stringify(status)} ${logs}`);
  });
  return status;
}

/** `charge/2026-11-20` for each sealed day. */
async function sealedDays(t: TestContext, site: Site): Promise<string[]> {
  const keys = (await storedObjects(t, site)).map(({ key }) => key);
  return keys
    .flatMap((key) => {
      const [, type, day] = /^events\/type=([^/]+)\/day=([^/]+)\/_seal-00001\.json$/.exec(key) ?? [];
      return type === undefined ? [] : [`${type}/${day}`];
    })
    .sort();
}

const each = (types: readonly string[], days: readonly string[]) =>
  types.flatMap((type) => days.map((day) => `${type}/${day}`)).sort();

test('a job made by hand of the CronJob seals the days that are missing, with the key from its Secret', async (t) => {
  const made = await eventsSite(t);
  if (made === undefined) return;
  const { site, apply } = made;
  await apply(TYPES);
  // A day may end in the middle of it: it starts before that, or after.
  const around = [dayOf(Date.now())];
  await site.kubectl('create', 'job', 'by-hand', '--from=cronjob/ferry-events');
  const status = await ended(site, 'by-hand');
  assert.equal(at(status, ['succeeded']), 1, JSON.stringify(status));
  around.push(dayOf(Date.now()));
  const sealed = await sealedDays(t, site);
  const daysBefore = (day: string) => each(TYPES, daysFrom(addDays(day, -3), addDays(day, -1)));
  assert.deepEqual(
    sealed,
    around.map(daysBefore).find((days) => days.join() === sealed.join()) ?? daysBefore(around[0] ?? ''),
  );
  const logs = await site.kubectl('logs', 'job/by-hand');
  assert.ok(logs.includes('sealed charge/') && !logs.includes(SAMPLE_KEY));
});

test('a backfill ends with every index succeeded; a type that the API refuses fails alone and is not tried again', async (t) => {
  const made = await eventsSite(t);
  if (made === undefined) return;
  const { site, apply } = made;
  const first = { 'ferry-events:from': '2026-01-01', 'ferry-events:to': '2026-01-05' };
  const days = daysFrom('2026-01-01', '2026-01-05');
  await apply(TYPES, first);
  const whole = await ended(site, 'ferry-events-2026-01-01-2026-01-05');
  assert.equal(at(whole, ['completedIndexes']), '0,1', JSON.stringify(whole));
  assert.equal(at(whole, ['failed']), undefined, 'a pod failed');
  assert.deepEqual(await sealedDays(t, site), each(TYPES, days));

  const second = { 'ferry-events:from': '2026-01-06', 'ferry-events:to': '2026-01-06' };
  await apply(['charge', 'unknown'], second);
  const partly = await ended(site, 'ferry-events-2026-01-06-2026-01-06');
  assert.equal(at(partly, ['completedIndexes']), '0', JSON.stringify(partly));
  assert.equal(at(partly, ['failedIndexes']), '1', JSON.stringify(partly));
  // One pod for each index: the policy on exit codes left no other try.
  assert.equal(at(partly, ['failed']), 1, JSON.stringify(partly));
  assert.ok((await sealedDays(t, site)).includes('charge/2026-01-06'));
});
