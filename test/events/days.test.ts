// Which days are pulled: all that are closed and not sealed, however many runs were missed; those that may still change,
// again; today's only when asked for.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { addDays, dayOf, daysFrom, isDay } from '../../app/events/days.ts';
import { type Wanted, wantedDays } from '../../app/events/run.ts';
import { chooseTasks, type StoredUnit, unitName } from '../../app/events/units.ts';
import { docsOf } from '../support/events/api.ts';
import { createEventsRig, filesBelow, readDay } from '../support/events/rig.ts';

const DAY_MS = 86_400_000;
const DAY = '2026-11-20';

test('a date is one exactly when the calendar has it', () => {
  for (const day of ['2024-02-29', '2026-12-31', '2000-02-29', '1970-01-01'])
    assert.equal(isDay(day), true, day);
  for (const day of [
    '2026-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-04-31',
    '2026-1-1',
    '26-01-01',
    '2026-01-01 ',
  ])
    assert.equal(isDay(day), false, day);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: -400, max: 400 }), (from, count) => {
      const day = dayOf(from * DAY_MS);
      assert.ok(isDay(day));
      assert.equal(addDays(addDays(day, count), -count), day);
      if (count >= 0) assert.equal(daysFrom(day, addDays(day, count)).length, count + 1);
    }),
  );
});

test('seven missed schedules heal with the next run, and nothing is pulled twice', async (t) => {
  const rig = await createEventsRig(t);
  const settings = rig.settings('events: [charge]\nlookback: 7\nlate_days: 0');
  const days = daysFrom('2026-11-10', '2026-11-27');
  for (const [index, day] of days.entries())
    rig.api.docs.set(`charge/${day}`, docsOf('charge', day, index + 1));
  await rig.run({ settings });
  assert.equal(rig.api.asked.length, 7);
  await rig.clock.advance(7 * DAY_MS);
  const ending = await rig.run({ settings });
  assert.deepEqual(
    ending.done.map(({ day }) => day),
    daysFrom('2026-11-21', '2026-11-27'),
  );
  assert.equal((await rig.run({ settings })).done.length, 0);
  assert.equal(rig.api.asked.length, 14);
  for (const day of daysFrom('2026-11-14', '2026-11-27'))
    assert.deepEqual(readDay(rig.data, 'charge', day)?.docs, rig.api.docs.get(`charge/${day}`), day);
});

test('a day that failed is pulled by the next run without being named, and its reason goes', async (t) => {
  const rig = await createEventsRig(t);
  const settings = rig.settings('events: [charge]\nlookback: 2\nlate_days: 0\nretry_sla: 0');
  rig.api.fault = ({ day }) => (day === DAY ? { status: 502 } : undefined);
  assert.equal((await rig.run({ settings })).exit, 'transient');
  rig.api.fault = () => undefined;
  const ending = await rig.run({ settings });
  assert.deepEqual(
    ending.done.map(({ day }) => day),
    [DAY],
  );
});

test('a late change becomes a revision with counts of what changed; the earlier one stays; no change writes nothing', async (t) => {
  const rig = await createEventsRig(t);
  const settings = rig.settings('events: [charge]\nlookback: 3\nlate_days: 2\nwrite_batch_size: 60');
  const set = join(rig.data, 'type=charge', `day=${DAY}`);
  const first = docsOf('charge', DAY, 150);
  rig.api.docs.set(`charge/${DAY}`, first);
  await rig.run({ settings });
  const before = filesBelow(set);
  const same = await rig.run({ settings });
  assert.deepEqual(
    same.done.map(({ day, outcome }) => `${day} ${outcome}`),
    ['2026-11-19 unchanged', '2026-11-20 unchanged'],
  );
  assert.deepEqual(filesBelow(set), before);

  // Other order is no other content.
  rig.api.docs.set(`charge/${DAY}`, first);
  const changed = [
    ...first.slice(0, 100).map((doc, index) => (index < 3 ? { ...doc, amount: -1 } : doc)),
    ...first.slice(110),
    { id: 'charge_late', amount: 1 },
  ];
  rig.api.docs.set(`charge/${DAY}`, changed);
  const late = await rig.run({ settings });
  const revised = late.done.find(({ day }) => day === DAY);
  assert.deepEqual(revised, {
    ...{ type: 'charge', day: DAY, outcome: 'revised', records: 141, duplicates: 0, revision: 2 },
    changes: { added: 1, removed: 10, changed: 3 },
  });
  const now = readDay(rig.data, 'charge', DAY);
  assert.deepEqual([now?.revision, now?.docs], [2, changed]);
  assert.deepEqual(now?.seal.about.changes, { added: 1, removed: 10, changed: 3 });
  for (const name of before) assert.ok(filesBelow(set).includes(name), `${name} is gone`);

  // The day after tomorrow it is too old to be looked at again.
  await rig.clock.advance(2 * DAY_MS);
  const asked = rig.api.asked.length;
  await rig.run({ settings });
  assert.equal(rig.api.asked.slice(asked).filter(({ day }) => day === DAY).length, 0);
});

test('the same records in another order are the same day', async (t) => {
  const rig = await createEventsRig(t);
  const docs = docsOf('charge', DAY, 40);
  const answer = (all: unknown[]) => () => ({ body: { data: all, next_cursor: null } });
  rig.api.fault = answer(docs);
  await rig.run({ wanted: { day: DAY } });
  rig.api.fault = answer([...docs].reverse());
  assert.equal((await rig.run({ wanted: { day: DAY } })).done[0]?.outcome, 'unchanged');
  rig.api.fault = answer(docs.slice(1));
  assert.equal((await rig.run({ wanted: { day: DAY } })).done[0]?.outcome, 'revised');
});

test('today is left alone until asked for; then it is an open revision, closed by a later run', async (t) => {
  const rig = await createEventsRig(t);
  const settings = rig.settings('events: [charge]\nlookback: 1\nlate_days: 0');
  const today = '2026-11-21';
  rig.api.docs.set(`charge/${today}`, docsOf('charge', today, 10));
  await rig.run({ settings });
  assert.equal(readDay(rig.data, 'charge', today), undefined);
  await rig.run({ settings, wanted: { today: true } });
  assert.equal(readDay(rig.data, 'charge', today)?.seal.facts.open, 'yes');
  rig.api.docs.set(`charge/${today}`, docsOf('charge', today, 25));
  await rig.run({ settings, wanted: { today: true } });
  assert.deepEqual(
    [readDay(rig.data, 'charge', today)?.revision, readDay(rig.data, 'charge', today)?.docs.length],
    [2, 25],
  );
  await rig.clock.advance(DAY_MS);
  // Nothing came since: the day is closed all the same.
  await rig.run({ settings });
  const closed = readDay(rig.data, 'charge', today);
  assert.deepEqual([closed?.revision, closed?.docs.length, closed?.seal.facts.open], [3, 25, undefined]);
});

test('a folder that lost a day gets it again though the bucket has it: each store is made whole', () => {
  const sealed: StoredUnit = {
    sealed: { revision: 1, seal: { key: 'k', sizeBytes: 1, etag: 'e' }, facts: { content: 'c' } },
    failed: undefined,
  };
  const none: StoredUnit = { sealed: undefined, failed: undefined };
  const choice = {
    ...{ nowMs: Date.UTC(2026, 10, 21), types: ['a'], days: [DAY], named: false, lateDays: 0, today: false },
    storeCount: 2,
  };
  const reasons = (stored: readonly StoredUnit[]) =>
    chooseTasks(choice, new Map([[unitName({ type: 'a', day: DAY }), stored]])).map(({ reason }) => reason);
  assert.deepEqual(reasons([sealed, none]), ['missing']);
  assert.deepEqual(reasons([none, none]), ['missing']);
  assert.deepEqual(reasons([sealed, sealed]), []);
});

test('a listing that fails stops the run before anything is pulled: unknown is not absent', async (t) => {
  const rig = await createEventsRig(t);
  await rig.run({ wanted: { day: DAY } });
  rmSync(join(rig.data, '.ferry-tmp'), { recursive: true });
  rmSync(rig.data, { recursive: true });
  writeFileSync(rig.data, 'a file');
  const asked = rig.api.asked.length;
  await assert.rejects(rig.run({ wanted: { day: DAY } }), /is a file, not a folder/);
  assert.equal(rig.api.asked.length, asked);
});

test('the days asked for: one, a span, a span to yesterday, today when it is named; nothing named: those looked back for', async (t) => {
  const { settings } = await createEventsRig(t);
  const nowMs = Date.UTC(2026, 10, 21, 7);
  const days = (wanted: Wanted) => wantedDays(settings('events: [charge]\nlookback: 2'), wanted, nowMs);
  assert.deepEqual(days({}), ['2026-11-19', '2026-11-20']);
  assert.deepEqual(days({ today: true }), ['2026-11-19', '2026-11-20', '2026-11-21']);
  assert.deepEqual(days({ day: '2026-01-05' }), ['2026-01-05']);
  assert.deepEqual(days({ from: '2026-11-19' }), ['2026-11-19', '2026-11-20']);
  assert.deepEqual(days({ from: '2026-11-21' }), ['2026-11-21']);
  assert.deepEqual(days({ from: '2026-01-30', to: '2026-02-01' }), [
    '2026-01-30',
    '2026-01-31',
    '2026-02-01',
  ]);
});
