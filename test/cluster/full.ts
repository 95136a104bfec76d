// A volume that fills up while S3 is away, and what the writer and the pod make of it when the volume has an end.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { until } from '../support/temp.ts';
import { kubectl, tryKubectl } from './kubectl.ts';
import { all, ferryFlags, writerFlags } from './patches.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { LOOK_MS, type Site } from './site.ts';

/** Planned for next to nothing … */
export const LITTLE = {
  rate: '1',
  size: '16Ki',
  burst: '0',
  'burst-size': undefined,
  retention: '1m',
  outage: '5m',
};
/** … while the writer makes 1.6 MiB a second. */
export const FAST_WRITER = all(
  writerFlags('--rate=100'),
  ferryFlags('--prove-every=2s', '--settle=1s', '--walk-cpu-share=0.2'),
);

/** Applies everything and takes the S3 server away; its keys stay, as the uploader does not start without. */
export async function withoutS3(site: Site): Promise<void> {
  await kubectl(['apply', '-f', site.manifests]);
  await site.kubectl('scale', 'deployment/ferry-s3', '--replicas=0');
}

/** The writer gets ENOSPC and the pod lives; S3 comes, room is made, the writer goes on; nothing it completed is lost. */
export async function fillsAndLives(t: TestContext, site: Site): Promise<void> {
  await withoutS3(site);
  const log = async (more: readonly string[]): Promise<string> => {
    const words = ['logs', 'deployment/file-writer', '-c', 'writer', '--tail=5', ...more];
    return (await tryKubectl(['-n', site.namespace, ...words])).stdout;
  };
  const full = async () => /ENOSPC/.test((await log([])) + (await log(['--previous'])));
  await until(full, 'the writer has no space left', 300_000, LOOK_MS);
  const pod = await site.when(({ phase }) => phase === 'Running', 'the pod lives');
  await site.scaleS3(1);
  await site.whenMetric('ferry_files_freed_total', (files) => files > 500, 300_000);
  const again = await site.ready();
  assert.equal(again.uid, pod.uid);
  assert.equal(again.restarts('ferry'), 0);
  assert.ok(again.restarts('writer') >= 1);
  const written = await writtenBy(site);
  const local = await localFiles(site);
  const judged = judge(written, local, await storedObjects(t, site));
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  t.diagnostic(
    `the writer failed ${again.restarts('writer')} times, the pod lives; ${judged.stored} files stored, none lost`,
  );
}
