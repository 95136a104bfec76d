// After a stop at any instant a restart goes on where it ended: one page and one part of each unit at most come again.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { addDays, dayOf } from '../../app/events/days.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { eventsKillRounds } from '../support/events/kill-rounds.ts';
import { createEventsRig, type EventsRig, filesBelow, readDay } from '../support/events/rig.ts';
import { spawnFerry } from '../support/ferry-child.ts';
import { until } from '../support/temp.ts';

const DAY = '2026-11-20';
const wanted = { day: DAY };
const TEXT = 'events: [charge]\nread_batch_size: 50\nwrite_batch_size: 120';

/** Runs until the API has been asked `count` times, then stops at once. */
async function runUntil(rig: EventsRig, count: number, text = TEXT): Promise<void> {
  const stop = new AbortController();
  rig.api.before = ({ number }) => {
    if (number === count) stop.abort();
  };
  const ending = await rig.run({ wanted, settings: rig.settings(text), signal: stop.signal });
  assert.deepEqual([ending.exit, ending.stopped, ending.failed.length], ['transient', 1, 0]);
  rig.api.before = () => {};
}

test('stopped at any page, a restart asks for that page again and no other, and the day is the same', async (t) => {
  const docs = docsOf('charge', DAY, 500);
  for (let stopAt = 1; stopAt <= 10; stopAt += 1) {
    const rig = await createEventsRig(t);
    rig.api.docs.set(`charge/${DAY}`, docs);
    await runUntil(rig, stopAt);
    assert.equal(readDay(rig.data, 'charge', DAY), undefined, 'nothing is visible before the seal');
    const ending = await rig.run({ wanted, settings: rig.settings(TEXT) });
    assert.equal(ending.exit, 'ok');
    assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docs, `stopped at ${stopAt}`);
    assert.equal(rig.api.asked.length, 11, `stopped at ${stopAt}`);
    assert.deepEqual(filesBelow(join(rig.directory, '.ferry/events/charge')), [], 'the spool is gone');
  }
});

test('a spool that is damaged in any file is thrown away, and the day pulled whole', async (t) => {
  const docs = docsOf('charge', DAY, 500);
  const damages: ((spool: string) => void)[] = [
    (spool) => truncateSync(join(spool, 'traces'), 24),
    (spool) => writeFileSync(join(spool, 'part-00001'), Buffer.alloc(20_000)),
    (spool) => writeFileSync(join(spool, 'journal'), 'no json\n'),
    (spool) => truncateSync(join(spool, 'journal'), 30),
  ];
  for (const damage of damages) {
    const rig = await createEventsRig(t);
    rig.api.docs.set(`charge/${DAY}`, docs);
    await runUntil(rig, 5);
    damage(join(rig.directory, '.ferry/events/charge', DAY));
    assert.equal((await rig.run({ wanted, settings: rig.settings(TEXT) })).exit, 'ok');
    assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docs);
  }
});

test('a line that was being written, and bytes after the last page, are no damage', async (t) => {
  const rig = await createEventsRig(t);
  const docs = docsOf('charge', DAY, 500);
  rig.api.docs.set(`charge/${DAY}`, docs);
  await runUntil(rig, 5);
  const spool = join(rig.directory, '.ferry/events/charge', DAY);
  appendFileSync(join(spool, 'journal'), '{"pages":5,"rec');
  appendFileSync(join(spool, 'part-00001'), '{"id":"half');
  appendFileSync(join(spool, 'traces'), Buffer.alloc(7));
  await rig.run({ wanted, settings: rig.settings(TEXT) });
  assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docs);
  assert.equal(rig.api.asked.length, 11);
});

test('other settings make no use of what was pulled with earlier ones', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 500));
  await runUntil(rig, 5);
  await rig.run({ wanted, settings: rig.settings(TEXT.replace('120', '200')) });
  const day = readDay(rig.data, 'charge', DAY);
  assert.deepEqual(day?.docs, docsOf('charge', DAY, 500));
  assert.equal(day.seal.members.length, 3);
  assert.equal(rig.api.asked.length, 15);
});

test('a page taken over once is not asked for again though the stop came while a part was put', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 500));
  await runUntil(rig, 8);
  const journal = readFileSync(join(rig.directory, '.ferry/events/charge', DAY, 'journal'), 'utf8');
  assert.equal(journal.match(/"pages"/g)?.length, 7);
  assert.equal(journal.match(/"sealedPart"/g)?.length, 2);
});

test('kill -9 at random instants, 3 rounds: nothing lost, nothing twice, little done again', async (t) => {
  await eventsKillRounds(t, 3);
});

test('SIGTERM ends a run at once with the code for another try, and the next one goes on', async (t) => {
  const rig = await createEventsRig(t);
  const yesterday = addDays(dayOf(Date.now()), -1);
  rig.api.docs.set(`charge/${yesterday}`, docsOf('charge', yesterday, 900));
  let hold = true;
  rig.api.before = ({ number }) => (hold && number === 6 ? new Promise<void>(() => {}) : undefined);
  const config = join(rig.directory, 'events.yaml');
  writeFileSync(config, `url: ${rig.api.url}\nsave_data_locally: true\nevents: [charge]\n`);
  const words = ['events', '--config', config, '--day', yesterday];
  const start = () => spawnFerry(t, words, { env: { API_KEY }, cwd: rig.directory });
  const run = start();
  await until(() => rig.api.asked.length === 6, 'it waits for the sixth page');
  run.child.kill('SIGTERM');
  const { exit, stdout } = await run.ended;
  assert.equal(exit, EXIT.transient, stdout);
  assert.match(stdout, /1 stopped.*the next run goes on where this one ended/);
  hold = false;
  const again = await start().ended;
  assert.equal(again.exit, 0, again.stdout);
  assert.equal(rig.api.asked.length, 6 + 4);
  assert.equal(readDay(rig.data, 'charge', yesterday)?.docs.length, 900);
});
