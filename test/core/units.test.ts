import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatDuration,
  parseDurationMs,
  parseSizeBytes,
  writeDuration,
} from '../../app/core/units.ts';

test('durations are read as people write them, and nothing else is taken for one', () => {
  assert.equal(parseDurationMs('24h'), 86_400_000);
  assert.equal(parseDurationMs('1h30m'), 5_400_000);
  assert.equal(parseDurationMs('250ms'), 250);
  for (const wrong of ['', '5', '5 s', 's', '-1s', '1h-', '1w'])
    assert.equal(parseDurationMs(wrong), undefined, wrong);
});

test('sizes are Kubernetes quantities in bytes', () => {
  assert.equal(parseSizeBytes('2Gi'), 2_147_483_648);
  assert.equal(parseSizeBytes('500M'), 500_000_000);
  assert.equal(parseSizeBytes('1024'), 1024);
  for (const wrong of ['', 'Gi', '2gi', '-1', '1e3']) assert.equal(parseSizeBytes(wrong), undefined, wrong);
});

test('durations and sizes are printed so that a person reads them at a glance', () => {
  assert.equal(formatDuration(7_500_000), '2h 5m');
  assert.equal(formatDuration(63_000), '1m 3s');
  assert.equal(formatDuration(250), '250ms');
  assert.equal(formatDuration(Number.POSITIVE_INFINITY), 'never');
  assert.equal(formatBytes(1_572_864), '1.50 MiB');
});

test('a duration is written back in one unit, as people write settings', () => {
  for (const text of ['0', '24h', '12h', '48h', '7d', '90m', '250ms', '1500ms', '30s'])
    assert.equal(writeDuration(parseDurationMs(text) ?? Number.NaN), text);
});
