import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKnownFiles } from '../../../app/files/ledger/known.ts';
import type { FileStat } from '../../../app/files/walk.ts';

const statOf = (size: number, ino = 7): FileStat => ({
  size,
  mtimeMs: 1_700_000_000_123.25,
  ctimeMs: 1_700_000_000_124,
  ino,
});

test('under any sequence of sets and deletes the table answers as a map would', () => {
  const path = fc.integer({ min: 0, max: 400 }).map((number) => `d${number % 7}/f${number}`);
  const step = fc.record({
    path,
    size: fc.integer({ min: 0, max: 5 }),
    proved: fc.boolean(),
    drop: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000 }), (steps) => {
      const table = createKnownFiles();
      table.complete();
      const model = new Map<string, { size: number; proved: boolean }>();
      for (const { path, size, proved, drop } of steps) {
        const before = model.get(path);
        if (before) table.delete(path, statOf(before.size));
        model.delete(path);
        if (drop) continue;
        table.set(path, statOf(size), proved);
        model.set(path, { size, proved });
      }
      for (let number = 0; number <= 400; number += 1) {
        const path = `d${number % 7}/f${number}`;
        const entry = model.get(path);
        const expected = entry === undefined ? 'absent' : entry.proved ? 'same-proved' : 'same';
        assert.equal(table.look(path, statOf(entry?.size ?? 0)), expected, path);
        assert.equal(table.mayHave(path), entry !== undefined, path);
        if (entry) assert.equal(table.look(path, statOf(entry.size + 1)), 'absent', path);
      }
    }),
    { numRuns: 60 },
  );
});

test('a full table of many files forgets none through deletes that move others up', () => {
  const table = createKnownFiles();
  table.complete();
  for (let number = 0; number < 50_000; number += 1) table.set(`f${number}`, statOf(number), false);
  for (let number = 0; number < 50_000; number += 3) table.delete(`f${number}`, statOf(number));
  for (let number = 0; number < 50_000; number += 1) {
    assert.equal(
      table.look(`f${number}`, statOf(number)),
      number % 3 === 0 ? 'absent' : 'same',
      `f${number}`,
    );
  }
});

test('until every row was entered, and beyond its largest size, what is not found is unsure', () => {
  const table = createKnownFiles(2 ** 12);
  assert.equal(table.look('a', statOf(1)), 'unsure');
  assert.equal(table.mayHave('a'), true);
  table.complete();
  assert.equal(table.look('a', statOf(1)), 'absent');
  assert.equal(table.mayHave('a'), false);
  for (let number = 0; number < 5_000; number += 1) table.set(`f${number}`, statOf(number), true);
  assert.equal(table.look('a', statOf(1)), 'unsure');
  assert.equal(table.mayHave('a'), true);
  assert.equal(table.look('f1', statOf(1)), 'same-proved');
});

test('whatever its size, no file that was entered is taken for absent', () => {
  for (let maxSlots = 2 ** 9; maxSlots < 2 ** 11; maxSlots += 2 ** 6) {
    const table = createKnownFiles(maxSlots);
    table.complete();
    for (let number = 0; number < maxSlots; number += 1) {
      table.set(`f${number}`, statOf(1), true);
      assert.notEqual(table.look(`f${number}`, statOf(1)), 'absent', `${maxSlots} slots, file ${number}`);
    }
  }
});

test('a full table enters others in the place of what is deleted, and a change keeps its place', () => {
  const table = createKnownFiles(2 ** 12);
  table.complete();
  const held = (from: number, to: number, size: number): number => {
    let found = 0;
    for (let number = from; number < to; number += 1)
      if (table.look(`f${number}`, statOf(size)) === 'same') found += 1;
    return found;
  };
  for (let number = 0; number < 10_000; number += 1) table.set(`f${number}`, statOf(1), false);
  const full = held(0, 10_000, 1);
  assert.equal(full, 64 * Math.floor(0.9 * 64), 'each of 64 shards of 64 slots is nine tenths full');
  assert.ok(table.isFull);
  for (let number = 0; number < 10_000; number += 1) {
    table.delete(`f${number}`, statOf(1));
    table.set(`f${number}`, statOf(2), false);
  }
  assert.equal(held(0, 10_000, 1), 0);
  assert.equal(held(0, 10_000, 2), full);
  for (let number = 0; number < 10_000; number += 1) table.delete(`f${number}`, statOf(2));
  assert.ok(!table.isFull);
  for (let number = 10_000; number < 20_000; number += 1) table.set(`f${number}`, statOf(1), false);
  assert.equal(held(10_000, 20_000, 1), full);
});

test('every part of a state counts', () => {
  const table = createKnownFiles();
  table.complete();
  const stat = statOf(1);
  table.set('a', stat, false);
  assert.equal(table.look('a', stat), 'same');
  for (const change of [
    { size: 2 },
    { mtimeMs: stat.mtimeMs + 0.25 },
    { ctimeMs: stat.ctimeMs + 1 },
    { ino: 8 },
  ]) {
    assert.equal(table.look('a', { ...stat, ...change }), 'absent', JSON.stringify(change));
  }
});

test('as many files as its first sentence says fit into a table of the usual size', () => {
  const table = createKnownFiles();
  table.complete();
  for (let number = 0; number < 540_000; number += 1) table.set(`f${number}`, statOf(number), true);
  assert.ok(table.isComplete);
  assert.equal(table.look('f539999', statOf(539_999)), 'same-proved');
  assert.equal(table.look('f540000', statOf(540_000)), 'absent');
});
