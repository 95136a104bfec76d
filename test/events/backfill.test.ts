// Backfill: the plan first, then every missing unit once, however many workers share it and whichever of them dies.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClaims } from '../../app/core/claim.ts';
import { silentLog } from '../../app/core/log.ts';
import { daysFrom } from '../../app/events/days.ts';
import { chooseWork, openWorkshop, workThrough } from '../../app/events/run.ts';
import { ferry } from '../support/cli.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { createEventsRig, filesBelow, readDay } from '../support/events/rig.ts';
import { spawnFerry } from '../support/ferry-child.ts';
import { until } from '../support/temp.ts';

const FROM = '2026-09-01';
const TO = '2026-09-12';
const TYPES = ['charge', 'refund'];

function yaml(url: string, directory: string, worker: number): string {
  return `url: ${url}
save_data_locally: true
local_path: ${join(directory, 'data')}
state: ${join(directory, `state-${worker}`)}
headers: { x-worker: '${worker}' }
events: [${TYPES.join(', ')}]
`;
}

test('two workers share a backfill: every day once, no day pulled by both', async (t) => {
  const rig = await createEventsRig(t);
  const days = daysFrom(FROM, TO);
  for (const type of TYPES)
    for (const day of days) rig.api.docs.set(`${type}/${day}`, docsOf(type, day, 250));
  const files = [1, 2].map((worker) => join(rig.directory, `events-${worker}.yaml`));
  for (const [index, file] of files.entries())
    writeFileSync(file, yaml(rig.api.url, rig.directory, index + 1));
  // Whoever starts first waits for the other one: alone it might have done it all by then.
  const seen = new Set<unknown>();
  const both = Promise.withResolvers<void>();
  rig.api.before = ({ headers }) => {
    if (seen.add(headers['x-worker']).size === 2) both.resolve();
    return both.promise;
  };
  const results = await Promise.all(
    files.map((file) =>
      ferry(['events', 'backfill', '--config', file, '--from', FROM, '--to', TO, '--parallel', '2'], {
        env: { API_KEY },
        cwd: rig.directory,
      }),
    ),
  );
  for (const { exit, stdout, stderr } of results) assert.equal(exit, 0, stdout + stderr);
  assert.match(results[0]?.stdout ?? '', /backfill of 2026-09-01 to 2026-09-12: \d+ type-days on \d+ days/);
  for (const type of TYPES)
    for (const day of days) {
      assert.deepEqual(readDay(rig.data, type, day)?.docs, docsOf(type, day, 250), `${type} ${day}`);
      const names = filesBelow(join(rig.data, `type=${type}`, `day=${day}`));
      assert.equal(names.filter((name) => name.startsWith('part-')).length, 1, names.join());
    }
  assert.equal(rig.api.asked.length, TYPES.length * days.length * 3, 'a day was pulled twice');
  const sealed = results.map(({ stdout }) => [...stdout.matchAll(/"message":"sealed /g)].length);
  assert.ok(
    sealed.every((count) => count > 0),
    `one worker did it all: ${sealed.join(' and ')}`,
  );
});

test('a worker killed in the middle of a day is waited for, then its day is done by another', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${FROM}`, docsOf('charge', FROM, 900));
  const file = join(rig.directory, 'events.yaml');
  writeFileSync(file, yaml(rig.api.url, rig.directory, 1));
  let hold = true;
  rig.api.before = ({ number }) => (hold && number === 5 ? new Promise<void>(() => {}) : undefined);
  const words = ['events', 'backfill', '--config', file, '--from', FROM, '--to', FROM, '--types', 'charge'];
  const dying = spawnFerry(t, words, { env: { API_KEY }, cwd: rig.directory });
  await until(() => rig.api.asked.length === 5, 'it is in the middle of the day', 30_000);
  dying.child.kill('SIGKILL');
  await dying.ended;
  hold = false;

  // Another worker, on a clock of its own that runs along.
  const clock = rig.clock;
  clock.set(Date.now());
  const settings = rig.settings(`events: [charge]\nstate: other`);
  const { signal } = new AbortController();
  const shop = await openWorkshop({ settings, clock, log: silentLog, signal, env: { API_KEY } });
  t.after(() => shop.close());
  const tasks = await chooseWork(shop, { from: FROM, to: FROM });
  const [ports] = shop.destinations.stores;
  assert.ok(ports);
  const leaseMs = 5 * 60_000;
  const startMs = clock.now();
  const claims = createClaims({ ...ports, clock }, leaseMs);
  const ending = await workThrough(shop, tasks, 2, { sharing: { claims, leaseMs } });
  assert.deepEqual(
    ending.done.map(({ outcome }) => outcome),
    ['sealed'],
  );
  const waitedMs = clock.now() - startMs;
  assert.ok(waitedMs > leaseMs / 2 && waitedMs <= 2 * leaseMs, `waited ${waitedMs} ms`);
  assert.deepEqual(readDay(rig.data, 'charge', FROM)?.docs, docsOf('charge', FROM, 900));
});

test('without claims two workers at one day still make one sealed day: the seal decides', async (t) => {
  const rig = await createEventsRig(t);
  const day = '2026-11-20';
  rig.api.docs.set(`charge/${day}`, docsOf('charge', day, 400));
  // Their seals differ by the pages they count; two that were equal to the byte would both be told as `sealed`, in truth.
  const run = (limit: number) =>
    rig.run({
      wanted: { day },
      settings: rig.settings(`events: [charge]\nread_batch_size: ${limit}\nstate: s${limit}`),
    });
  const endings = await Promise.all([run(50), run(80), run(100)]);
  const outcomes = endings.flatMap(({ done }) => done.map(({ outcome }) => outcome));
  assert.equal(outcomes.filter((outcome) => outcome === 'sealed').length, 1, outcomes.join());
  assert.deepEqual(readDay(rig.data, 'charge', day)?.docs, docsOf('charge', day, 400));
});

test('an index names a type, the order is as asked, days that are sealed are left alone', async (t) => {
  const rig = await createEventsRig(t);
  const file = join(rig.directory, 'events.yaml');
  writeFileSync(file, yaml(rig.api.url, rig.directory, 1));
  const words = [
    'events',
    'backfill',
    '--config',
    file,
    '--from',
    FROM,
    '--to',
    '2026-09-03',
    '--parallel',
    '1',
  ];
  const options = { env: { API_KEY }, cwd: rig.directory };
  const first = await ferry([...words, '--type-index', '1', '--order', 'newest'], options);
  assert.equal(first.exit, 0, first.stderr);
  // The plan comes first.
  assert.match(
    first.stdout,
    /^.*backfill of 2026-09-01 to 2026-09-03: 3 type-days on 3 days, 0 sealed already/,
  );
  assert.deepEqual(
    rig.api.asked.map(({ type, day }) => `${type} ${day}`),
    ['refund 2026-09-03', 'refund 2026-09-02', 'refund 2026-09-01'],
  );
  const again = await ferry([...words, '--type-index', '1', '--dry-run'], options);
  assert.match(again.stdout, /0 type-days on 0 days, 3 sealed already/);
  const wrong = await ferry([...words, '--type-index', '2'], options);
  assert.equal(wrong.exit, 2);
  assert.match(wrong.stderr, /no type number 2: the settings name 2, counted from 0/);
});
