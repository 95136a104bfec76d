// What a day's records were: an id is new exactly once, a sum of contents does not mind the order, and changes are counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createContentSum, createSeenIds, writeMd5, writeSha256 } from '../../app/events/seen.ts';
import { countChanges, createTraceTable } from '../../app/events/traces.ts';

test('an id is new the first time and never again, however many there are', () => {
  const seen = createSeenIds();
  const digest = Buffer.alloc(16);
  const add = (id: string): boolean => {
    writeMd5(id, digest, 0);
    return seen.add(digest, 0);
  };
  const count = 60_000;
  for (let index = 0; index < count; index += 1) assert.equal(add(`id-${index}`), true);
  for (let index = 0; index < count; index += 7) assert.equal(add(`id-${index}`), false);
  assert.equal(seen.size, count);
});

test('random additions are told as a Set tells them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 500 }), { maxLength: 1_500 }), (ids) => {
      const seen = createSeenIds();
      const model = new Set<number>();
      const digest = Buffer.alloc(16);
      for (const id of ids) {
        writeMd5(String(id), digest, 0);
        assert.equal(seen.add(digest, 0), !model.has(id));
        model.add(id);
      }
    }),
  );
});

test('the sum of contents is that of the lines whatever their order, goes on from an earlier one, and differs with any line', () => {
  const sumOf = (lines: readonly string[], from?: string): string => {
    const sum = createContentSum(from);
    const digest = Buffer.alloc(32);
    for (const line of lines) {
      writeSha256(line, digest, 0);
      sum.add(digest);
    }
    return sum.hex();
  };
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 30 }), fc.nat(), fc.string(), (lines, cut, other) => {
      const half = cut % (lines.length + 1);
      assert.equal(sumOf(lines), sumOf([...lines].reverse()));
      assert.equal(sumOf(lines.slice(half), sumOf(lines.slice(0, half))), sumOf(lines));
      assert.notEqual(sumOf([...lines, other]), sumOf(lines));
    }),
  );
});

test('what was added, removed and changed between two pulls is counted as two maps would be compared', () => {
  const day = fc.dictionary(fc.string({ maxLength: 3 }), fc.nat({ max: 3 }));
  fc.assert(
    fc.property(day, day, (before, after) => {
      const tableOf = (records: Record<string, number>) => {
        const table = createTraceTable();
        const digest = Buffer.alloc(32);
        for (const [id, content] of Object.entries(records)) {
          const trace = { id: Buffer.alloc(16), line: Buffer.alloc(8) };
          writeMd5(id, trace.id, 0);
          writeSha256(String(content), digest, 0);
          digest.copy(trace.line, 0, 0, 8);
          table.add(trace);
        }
        return table.sorted();
      };
      const has = (records: Record<string, number>, id: string) => Object.hasOwn(records, id);
      assert.deepEqual(countChanges(tableOf(before), tableOf(after)), {
        added: Object.keys(after).filter((id) => !has(before, id)).length,
        removed: Object.keys(before).filter((id) => !has(after, id)).length,
        changed: Object.keys(after).filter((id) => has(before, id) && before[id] !== after[id]).length,
      });
    }),
  );
});
