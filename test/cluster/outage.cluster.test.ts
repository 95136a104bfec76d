// S3 goes away while the writer makes fifty times what was planned, and comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/temp.ts';
import { all, ferryFlags, writerFlags } from './patches.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite, LOOK_MS } from './site.ts';

const LIMIT_BYTES = 128 * 2 ** 20;
/** Planned for a file every two seconds; the writer makes 0.8 MiB a second, which leaves 100 s from the alarm to the limit. */
const PLANNED_RATE = 0.5;
const RATE = PLANNED_RATE * 50;
/** Shares of the order of writing: files of one instant may go in any order. */
const ORDER_SLACK = 0.05;

test('without S3 and at fifty times the rate, proved files go first and oldest, then the alarm; with S3 back nothing is lost', async (t) => {
  const site = await createSite(t, {
    values: {
      rate: String(PLANNED_RATE),
      size: '32Ki',
      burst: '0',
      'burst-size': undefined,
      retention: '10m',
      outage: '5m',
      'size-limit': '128Mi',
      'low-watermark': '0.2',
      'high-watermark': '0.28',
      'critical-watermark': '0.35',
    },
    patch: all(
      ferryFlags('--prove-every=2s', '--settle=1s', '--summary-every=2s', '--walk-cpu-share=0.2'),
      writerFlags(`--rate=${RATE}`),
    ),
  });
  if (site === undefined) return;
  const pod = await site.ready();
  await site.whenMetric('ferry_files_freed_early_total', (files) => files > 0, 300_000);
  const before = await writtenBy(site);
  const kept = await localFiles(site);
  const gone = before.flatMap(({ path }, index) => (kept.has(path) ? [] : [index]));
  const newestGone = gone.at(-1) ?? before.length;
  assert.ok(gone.length > 0);
  assert.ok(
    newestGone < gone.length * (1 + ORDER_SLACK),
    `${gone.length} are gone, the newest is ${newestGone}`,
  );

  await site.scaleS3(0);
  let peak = 0;
  let peakWithProved = 0;
  await until(
    async () => {
      const metrics = await site.metrics();
      const [used = 0, proved = 0, level = 0] = ['disk_used_bytes', 'retained_files', 'disk_level'].map(
        (name) => metrics.get(`ferry_files_${name}`),
      );
      peak = Math.max(peak, used);
      if (proved > RATE) peakWithProved = Math.max(peakWithProved, used);
      return level === 2;
    },
    'the disk is critical',
    300_000,
    LOOK_MS,
  );
  assert.ok(peakWithProved < LIMIT_BYTES, `${peakWithProved} bytes while proved files were left`);
  const alarmed = async (): Promise<boolean> => {
    const log = await site.kubectl('logs', 'deployment/file-writer', '-c', 'ferry', '--since=180s');
    return /"level":"error"[^\n]* is nearly full: [^\n]*\(critical\)/.test(log);
  };
  await until(alarmed, 'the log tells of the full volume', 60_000, LOOK_MS);

  await site.scaleS3(1);
  await site.whenMetric('ferry_files_disk_level', (level) => level < 2, 300_000);
  await site.whenMetric('ferry_files_backlog_files', (files) => files < RATE * 5, 300_000);
  const after = await site.ready();
  assert.equal(after.uid, pod.uid);
  assert.equal(after.restarts('writer') + after.restarts('ferry'), 0);
  const written = await writtenBy(site);
  const local = await localFiles(site);
  const judged = judge(written, local, await storedObjects(t, site));
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  t.diagnostic(
    `${written.length} files, ${judged.stored} stored; at most ${mib(peakWithProved)} of ${mib(LIMIT_BYTES)} while proved files were left, ${mib(peak)} in all`,
  );
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
});
