import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitRate, bytes, dollars, number, roundUp, shown, type Unit } from '../../app/plan/figure.ts';

test('numbers have separators and as many digits as one reads', () => {
  assert.deepEqual([0, 0.116, 1.5, 12.34, 123.4, 518_400, 1_036_800.4].map(number), [
    '0',
    '0.116',
    '1.5',
    '12.3',
    '123',
    '518,400',
    '1,036,800',
  ]);
});

test('bytes are whole blocks or one digit behind the point', () => {
  assert.deepEqual([0, 512, 1_024, 4_096, 12.7 * 1_024, 2_123_366_400, 4_246_732_800, 2 ** 50].map(bytes), [
    '0 B',
    '512 B',
    '1 KiB',
    '4 KiB',
    '12.7 KiB',
    '2.0 GiB',
    '4.0 GiB',
    '1.0 PiB',
  ]);
});

test('dollars have cents, and never nothing where there is something', () => {
  assert.deepEqual([0, 0.0007, 0.0073, 0.05, 5.184, 156.05, 1_711.2, 0.999].map(dollars), [
    '$0',
    '$0.0007',
    '$0.007',
    '$0.05',
    '$5.18',
    '$156.05',
    '$1,711',
    '$1.00',
  ]);
});

test('bandwidth is in the decimal units of network people', () => {
  assert.deepEqual([295_000, 2e6, 1.5e9].map(bitRate), ['295 kbit/s', '2 Mbit/s', '1.5 Gbit/s']);
});

test('every unit can be shown, also nothing of it', () => {
  const units: Unit[] = [
    'files',
    'files/day',
    'files/s',
    'bytes',
    'inodes',
    'share',
    'ms',
    's',
    'millicores',
    'bit/s',
    'requests/day',
    'USD/day',
    'USD/month',
  ];
  for (const unit of units)
    for (const value of [0, 1, 12_345.678]) assert.match(shown({ value, unit }), /\d/, unit);
});

test('rounding up keeps what is round', () => {
  assert.deepEqual([roundUp(4_096, 4_096), roundUp(4_097, 4_096), roundUp(0, 16)], [4_096, 8_192, 0]);
});
