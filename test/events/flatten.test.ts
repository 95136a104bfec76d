// Flat records: nothing is lost, nothing is mistaken for something else, and what cannot be told apart is an error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlattenCollision, type FlattenOptions, flatten, unflatten } from '../../app/events/flatten.ts';
import { docsOf } from '../support/events/api.ts';
import { createEventsRig, readDay } from '../support/events/rig.ts';

const DOTS: FlattenOptions = { separator: '.', depth: 64, arrays: 'keep' };
const OPTIONS = fc.record({
  separator: fc.constantFrom('.', '_', '__', '/'),
  depth: fc.integer({ min: 1, max: 5 }),
  arrays: fc.constantFrom('keep' as const, 'index' as const),
});
/** Names that collide, hold separators, look like indexes or like what JavaScript means otherwise. */
const NAME = fc.oneof(
  fc.constantFrom('a', 'b', 'a.b', 'a_b', '0', '1', '', '__proto__', 'constructor', 'length', 'ä/ö'),
  fc.string({ maxLength: 4 }),
);
const RECORD = fc.dictionary(
  NAME,
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.string({ maxLength: 3 }),
      fc.constant(null),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(NAME, tie('value'), { maxKeys: 3 }),
    ),
  })).value,
  { maxKeys: 4 },
);

test('unflatten(flatten(x)) is x for every record and option, or flatten says why it cannot be', () => {
  let flattened = 0;
  fc.assert(
    fc.property(RECORD, OPTIONS, (given, options) => {
      // As JSON has it: no prototypes but the usual ones.
      const record = JSON.parse(JSON.stringify(given)) as object;
      let flat: object;
      try {
        flat = flatten(record, options);
      } catch (error) {
        assert.ok(error instanceof FlattenCollision, String(error));
        return;
      }
      flattened += 1;
      assert.deepEqual(
        JSON.parse(JSON.stringify(unflatten(flat, options))),
        JSON.parse(JSON.stringify(record)),
      );
    }),
    { numRuns: 3_000 },
  );
  assert.ok(flattened > 1_000, `only ${flattened} of 3,000 could be flattened`);
});

test('names are joined as deep as asked, lists are kept or numbered', () => {
  const record = { id: 1, a: { b: { c: 2 } }, list: [{ x: 1 }, 2], empty: {}, none: [] };
  assert.deepEqual(flatten(record, DOTS), { id: 1, 'a.b.c': 2, list: [{ x: 1 }, 2], empty: {}, none: [] });
  assert.deepEqual(flatten(record, { ...DOTS, depth: 2 }), {
    ...{ id: 1, 'a.b': { c: 2 }, list: [{ x: 1 }, 2], empty: {}, none: [] },
  });
  assert.deepEqual(flatten(record, { separator: '_', depth: 64, arrays: 'index' }), {
    ...{ id: 1, a_b_c: 2, list_0_x: 1, list_1: 2, empty: {}, none: [] },
  });
});

test('two fields that would get one name are an error that names it', () => {
  assert.throws(() => flatten({ 'a.b': 1, a: { b: 2 } }, DOTS), /"a\.b" holds the separator/);
  assert.throws(
    () => flatten({ a: { 0: 1 } }, { ...DOTS, arrays: 'index' }),
    /the fields of "a" look like entries of a list/,
  );
});

test('a run with flatten stores flat records, counts changes by id, and fails a unit that collides', async (t) => {
  const rig = await createEventsRig(t);
  const day = '2026-11-20';
  const settings = rig.settings(
    'events: [charge]\nflatten: { separator: _, arrays: index }\napi: { id: nested.brand }',
  );
  const docs = [
    { id: 'a', nested: { brand: 'visa', tags: ['x'] } },
    { id: 'b', nested: { brand: 'other', tags: [] } },
  ];
  rig.api.docs.set(`charge/${day}`, docs);
  await rig.run({ wanted: { day }, settings });
  assert.deepEqual(readDay(rig.data, 'charge', day)?.docs, [
    { id: 'a', nested_brand: 'visa', nested_tags_0: 'x' },
    { id: 'b', nested_brand: 'other', nested_tags: [] },
  ]);
  rig.api.docs.set(`charge/${day}`, [{ ...docs[0], id: 'c' }, docs[1] ?? assert.fail()]);
  assert.deepEqual((await rig.run({ wanted: { day }, settings })).done[0]?.changes, {
    added: 0,
    removed: 0,
    changed: 1,
  });
  rig.api.docs.set('charge/2026-11-19', [
    ...docsOf('charge', day, 1),
    { id: 'z', nested: { brand: 'q' }, a_b: 1 },
  ]);
  const ending = await rig.run({ wanted: { day: '2026-11-19' }, settings });
  assert.deepEqual([ending.exit, ending.failed[0]?.reason], ['data', 'flatten']);
  assert.match(ending.failed[0]?.message ?? '', /"a_b" holds the separator/);
});
