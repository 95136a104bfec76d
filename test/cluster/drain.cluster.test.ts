// The pod is deleted, and it is rolled over to a new version: the uploader ends after the writer, and what the writer
// completed before its end is in the bucket when the pod is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../manifests/targets.ts';
import { until } from '../support/temp.ts';
import { FERRY_IMAGE } from './image.ts';
import { kubectl, startKubectl } from './kubectl.ts';
import { keptNotes } from './patches.ts';
import { judge, linesOf, NOTES, storedObjects, type Written } from './sides.ts';
import { createSite, LOOK_MS, podOf, type Site } from './site.ts';

const CLAIM = 'notes';
/** Files written before a pod is told to end: less than the burst, so that the end comes in the middle of it all. */
const BEGUN = 200;

test('whatever ends the pod, what the writer completed is in the bucket when the pod is gone', async (t) => {
  const site = await createSite(t, {
    values: { rate: '20', burst: '400', 'burst-size': '8Ki', 'writer-stop': '5s' },
    patch: keptNotes(CLAIM),
    claims: [CLAIM],
  });
  if (site === undefined) return;
  await makeDesk(site);
  const watched = startKubectl(t, [
    ...['-n', site.namespace, 'get', 'pods', '-l', 'app.kubernetes.io/component=writer'],
    ...['--watch', '-o', 'json'],
  ]);
  const ends: readonly [what: string, end: () => Promise<unknown>][] = [
    ['deleted', () => site.kubectl('delete', 'pod', '-l', 'app.kubernetes.io/component=writer')],
    [
      'rolled over',
      async () => {
        const change = { spec: { template: { metadata: { annotations: { version: '2' } } } } };
        await site.kubectl('patch', 'deployment', 'file-writer', '-p', JSON.stringify(change));
        await site.kubectl('rollout', 'status', 'deployment/file-writer', '--timeout=240s');
      },
    ],
  ];
  const over = new Set<string>();
  for (const [what, end] of ends) {
    const pod = await site.ready();
    let begun: string[] = [];
    const isBegun = async (): Promise<boolean> => {
      begun = (await notes(site)).map(runOf).filter((run) => !over.has(run));
      return begun.length > BEGUN;
    };
    await until(isBegun, 'files are written', 240_000, LOOK_MS);
    const ending = begun.at(-1) ?? '';
    over.add(ending);
    await end();
    const isGone = async (): Promise<boolean> => !(await site.pods()).some(({ uid }) => uid === pod.uid);
    await until(isGone, 'the old pod is gone', 240_000, LOOK_MS);
    const completed = (await notes(site)).filter((file) => runOf(file) === ending);
    const judged = judge(completed, new Map(), await storedObjects(t, site));
    t.diagnostic(`${what}: ${completed.length} files completed, ${judged.stored} stored`);
    assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []], what);

    await until(() => lastOf(watched.output(), pod.uid) !== undefined, 'the watch has told of its end');
    const last = lastOf(watched.output(), pod.uid);
    const ended = (kind: string, field: string) =>
      at(last, ['status', kind, 0, 'state', 'terminated', field]);
    assert.equal(ended('initContainerStatuses', 'exitCode'), 0);
    assert.ok(
      String(ended('containerStatuses', 'finishedAt')) <=
        String(ended('initContainerStatuses', 'finishedAt')),
    );
    const started = (kind: string) => String(ended(kind, 'startedAt'));
    assert.ok(started('initContainerStatuses') <= started('containerStatuses'));
  }
});

/** The writer's run, which is part of every file's name. */
function runOf({ path }: Written): string {
  return /([0-9a-z]+)-\d{7}\.dat$/.exec(path)?.[1] ?? '';
}

/** A pod that outlives the writer's and reads its notes. */
async function makeDesk(site: Site): Promise<void> {
  const metadata = { name: CLAIM, namespace: site.namespace };
  const resources = { requests: { storage: '1Gi' } };
  const claim = { accessModes: ['ReadWriteOnce'], resources };
  const template = await site.json('get', 'deployment', 'file-writer');
  const container = {
    name: 'desk',
    image: FERRY_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['/nodejs/bin/node', '-e', 'setInterval(() => {}, 1e6)'],
    securityContext: at(template, ['spec', 'template', 'spec', 'containers', 0, 'securityContext']),
    volumeMounts: [{ name: 'notes', mountPath: '/var/ferry-notes' }],
  };
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: at(template, ['spec', 'template', 'spec', 'securityContext']),
    containers: [container],
    volumes: [{ name: 'notes', persistentVolumeClaim: { claimName: CLAIM } }],
  };
  for (const object of [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: claim },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'desk' }, spec },
  ])
    await kubectl(['apply', '-f', '-'], JSON.stringify(object));
  await site.kubectl('wait', 'pod/desk', '--for=condition=Ready', '--timeout=240s');
}

async function notes(site: Site): Promise<Written[]> {
  const script = `try { process.stdout.write(require('node:fs').readFileSync('${NOTES}')) } catch {}`;
  return linesOf<Written>(await site.kubectl('exec', 'desk', '--', '/nodejs/bin/node', '-e', script));
}

/** A pod as the watch saw it last with both containers ended. */
function lastOf(watched: string, uid: string): unknown {
  const seen = watched
    .split(/^(?=\{)/m)
    // The last one may not have come to its end yet.
    .filter((text) => /^\}/m.test(text))
    .map((text): unknown => JSON.parse(text))
    .filter((object) => podOf(object).uid === uid);
  return seen.findLast(
    (object) =>
      at(object, ['status', 'containerStatuses', 0, 'state', 'terminated']) !== undefined &&
      at(object, ['status', 'initContainerStatuses', 0, 'state', 'terminated']) !== undefined,
  );
}
