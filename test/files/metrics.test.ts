import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesMetrics } from '../../app/files/metrics.ts';
import { snapshotOf } from './snapshot-of.ts';

const NOW_MS = 1_800_000_000_000;

function value(text: string, series: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line?.slice(series.length + 1);
}

test('every counter exists at 0 before the first event, failures by each reason the store can have', async () => {
  const { registry, describe } = filesMetrics(() => snapshotOf({ atMs: NOW_MS }));
  const text = await registry.metrics();
  for (const { name, type } of describe()) {
    if (type !== 'counter' || name.startsWith('process_')) continue;
    assert.match(text, new RegExp(`^${name}(\\{.*\\})? 0$`, 'm'), name);
  }
  assert.equal(value(text, 'ferry_files_failures_total{reason="denied"}'), '0');
  assert.equal(value(text, 'ferry_files_skipped_entries{kind="fifo"}'), '0');
  assert.equal(value(text, 'ferry_files_last_success_timestamp_seconds'), '0');
});

test('what is not known yet is absent, not 0', async () => {
  const text = await filesMetrics(() => snapshotOf({ atMs: NOW_MS })).registry.metrics();
  for (const name of ['disk_used_bytes', 'disk_limit_bytes', 'disk_full_seconds', 'disk_level', 'store_up']) {
    assert.equal(value(text, `ferry_files_${name}`), undefined, name);
  }
});

test('the values are those of the snapshot, in the units the names say', async () => {
  const { registry } = filesMetrics(() =>
    snapshotOf({
      atMs: NOW_MS,
      total: {
        sent: { files: 12, bytes: 12_000 },
        freedEarly: { files: 3, bytes: 30 },
        conflicts: 1,
        failures: new Map([
          ['throttled', 4],
          ['EACCES', 2],
        ]),
      },
      backlog: { files: 5, bytes: 500 },
      oldestUnprovedAgeMs: 90_500,
      lastSuccessAtMs: NOW_MS - 2_000,
      store: { ok: false, fault: 'denied', message: 'no', sinceMs: NOW_MS },
      disk: {
        usedBytes: 1_024,
        limitBytes: 4_096,
        usedInodes: 7,
        limitInodes: Infinity,
        growthBytesPerSecond: -3,
        fullInMs: undefined,
        level: 'high',
      },
    }),
  );
  const text = await registry.metrics();
  assert.equal(value(text, 'ferry_files_sent_total'), '12');
  assert.equal(value(text, 'ferry_files_sent_bytes_total'), '12000');
  assert.equal(value(text, 'ferry_files_freed_early_total'), '3');
  assert.equal(value(text, 'ferry_files_failures_total{reason="throttled"}'), '4');
  assert.equal(value(text, 'ferry_files_failures_total{reason="EACCES"}'), '2');
  assert.equal(value(text, 'ferry_files_backlog_bytes'), '500');
  assert.equal(value(text, 'ferry_files_oldest_unproved_age_seconds'), '90.5');
  assert.equal(value(text, 'ferry_files_last_success_timestamp_seconds'), String((NOW_MS - 2_000) / 1_000));
  assert.equal(value(text, 'ferry_files_store_up'), '0');
  assert.equal(value(text, 'ferry_files_disk_limit_inodes'), '+Inf');
  assert.equal(value(text, 'ferry_files_disk_full_seconds'), '+Inf');
  assert.equal(value(text, 'ferry_files_disk_level'), '1');
  assert.match(text, /^ferry_files_build_info\{version="\d+\.\d+\.\d+",node="24\..*"\} 1$/m);
});

test('a counter shows the total again at the next scrape, not twice the total', async () => {
  const snapshot = snapshotOf({ atMs: NOW_MS, total: { conflicts: 2, failures: new Map([['EIO', 1]]) } });
  const { registry } = filesMetrics(() => snapshot);
  await registry.metrics();
  const text = await registry.metrics();
  assert.equal(value(text, 'ferry_files_conflicts_total'), '2');
  assert.equal(value(text, 'ferry_files_failures_total{reason="EIO"}'), '1');
});

test('a scrape takes one snapshot, so that its numbers fit together', async () => {
  let taken = 0;
  const { registry } = filesMetrics(() => {
    taken += 1;
    return snapshotOf({ atMs: NOW_MS });
  });
  await registry.metrics();
  assert.equal(taken, 1);
  await registry.metrics();
  assert.equal(taken, 2);
});

test('names carry their unit and the description covers every metric that is served', async () => {
  const { registry, describe } = filesMetrics(() => snapshotOf({ atMs: NOW_MS }));
  const described = describe();
  assert.deepEqual(
    described.map(({ name }) => name).sort(),
    registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .sort(),
  );
  for (const { name, type, help } of described) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.match(help, /^[A-Z0-9].{15,}\.$/, name);
    assert.doesNotMatch(name, /_ms$|[A-Z]/);
  }
});

test('the metrics of the process are there without the default collectors', async () => {
  const text = await filesMetrics(() => snapshotOf({ atMs: NOW_MS })).registry.metrics();
  assert.ok(Number(value(text, 'process_resident_memory_bytes')) > 10_000_000);
  assert.ok(Number(value(text, 'process_cpu_seconds_total')) > 0);
});
