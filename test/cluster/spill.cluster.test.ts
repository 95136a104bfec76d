// With a spill volume the pod survives an outage that would have got it evicted, and every file comes to the bucket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAST_WRITER, LITTLE } from './full.ts';
import { all, writerFlags } from './patches.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite } from './site.ts';

const LIMIT_BYTES = 96 * 2 ** 20;

test('with a spill volume the pod outlives an outage of more files than its disk takes, and none is lost', async (t) => {
  const site = await createSite(t, {
    values: {
      ...LITTLE,
      'size-limit': '96Mi',
      'low-watermark': '0.1',
      'high-watermark': '0.15',
      'critical-watermark': '0.2',
      'spill-size': '1Gi',
    },
    patch: all(FAST_WRITER, writerFlags('--rate=40')),
    claims: ['file-writer-spill'],
  });
  if (site === undefined) return;
  const pod = await site.ready();
  await site.scaleS3(0);
  // More than the critical share of the disk went over.
  await site.whenMetric('ferry_files_spilled_total', (files) => files * 16_384 > LIMIT_BYTES * 0.25, 300_000);
  await site.scaleS3(1);
  await site.whenMetric('ferry_files_spill_waiting_files', (files) => files === 0, 300_000);
  const after = await site.ready();
  assert.equal(after.uid, pod.uid);
  assert.equal(after.restarts('writer') + after.restarts('ferry'), 0);
  const spilled = (await site.metrics()).get('ferry_files_spilled_total');
  const written = await writtenBy(site);
  const judged = judge(written, await localFiles(site), await storedObjects(t, site));
  t.diagnostic(`${written.length} files, ${spilled} of them spilled, ${judged.stored} stored`);
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
});
