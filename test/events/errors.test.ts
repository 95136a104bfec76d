// When the API fails: what mends itself is tried again and says so, what does not ends that one unit with the request to
// repeat, and the exit code tells the kinds apart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { API_KEY, type ApiFault, docsOf } from '../support/events/api.ts';
import { createBucketRig, createEventsRig, filesBelow, readDay } from '../support/events/rig.ts';

const DAY = '2026-11-20';
const wanted = { day: DAY };

test('502, 429, resets, cut-off bodies and half JSON are tried again, and nothing is lost or doubled', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 450));
  const faults: (ApiFault | undefined)[] = [
    { status: 502 },
    undefined,
    'reset',
    'truncate',
    undefined,
    'half-json',
    { status: 429, retryAfter: '3' },
    { status: 408 },
    undefined,
  ];
  rig.api.fault = ({ number }) => faults[number - 1];
  const ending = await rig.run({ wanted });
  assert.equal(ending.exit, 'ok');
  assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docsOf('charge', DAY, 450));
  assert.equal(rig.api.asked.length, 5 + 6);
});

test('each status of the table is tried again, and no other', async (t) => {
  const rig = await createEventsRig(t);
  for (const [statuses, asked] of [
    [[408, 429, 500, 502, 503, 504], 2],
    [[400, 401, 403, 404, 409, 422, 501], 1],
  ] as const)
    for (const status of statuses) {
      rig.api.asked.length = 0;
      rig.api.fault = ({ number }) => (number === 1 ? { status } : undefined);
      const { exit } = await rig.run({ wanted: { day: '2026-11-19' } });
      assert.deepEqual([exit, rig.api.asked.length], [asked === 2 ? 'ok' : 'data', asked], `${status}`);
    }
});

test('an answer that does not come is given up after its time, and asked for again', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 5));
  const never = new Promise<void>(() => {});
  rig.api.before = ({ number }) => (number === 1 ? never : undefined);
  const settings = rig.settings('events: [charge]\napi: { timeout_seconds: 2 }');
  assert.equal((await rig.run({ wanted, settings })).exit, 'ok');
  assert.equal(rig.api.asked.length, 2);
  assert.equal(readDay(rig.data, 'charge', DAY)?.docs.length, 5);
});

test('Retry-After is the least wait, as seconds and as a date', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 5));
  const startMs = rig.clock.now();
  const date = new Date(startMs + 100_000).toUTCString();
  rig.api.fault = ({ number }) =>
    number === 1
      ? { status: 503, retryAfter: '40' }
      : number === 2
        ? { status: 429, retryAfter: date }
        : undefined;
  await rig.run({ wanted });
  assert.equal(rig.clock.slept.filter((ms) => ms >= 40_000).length, 2);
  assert.ok(rig.clock.now() - startMs >= 100_000 - 1_000);
});

test('retry_sla ends the tries of a page, the deadline does where there is none; both are transient', async (t) => {
  for (const [text, most] of [
    ['retry_sla: 3', 4],
    ['retry_deadline: 2m\nretry_time_delta: 1', 60],
  ] as const) {
    const rig = await createEventsRig(t);
    rig.api.fault = () => ({ status: 502 });
    const startMs = rig.clock.now();
    const ending = await rig.run({ wanted, settings: rig.settings(`events: [charge]\n${text}`) });
    assert.equal(ending.exit, 'transient');
    assert.deepEqual([ending.failed[0]?.reason, ending.failed.length], ['http-502', 1]);
    assert.ok(rig.api.asked.length >= 2 && rig.api.asked.length <= most, String(rig.api.asked.length));
    assert.ok(rig.clock.now() - startMs <= 10 * 60_000);
  }
});

test('one bad unit never blocks another, and its request can be repeated with curl, without the key', async (t) => {
  const rig = await createEventsRig(t);
  for (const type of ['charge', 'refund', 'dispute'])
    rig.api.docs.set(`${type}/${DAY}`, docsOf(type, DAY, 120));
  // The API repeats the key in its answer, as some do.
  rig.api.fault = ({ type }) =>
    type === 'charge' ? { status: 422, text: `no ${API_KEY} for you` } : undefined;
  const settings = rig.settings('events: [charge, refund, dispute]');
  const ending = await rig.run({ wanted, settings });
  assert.equal(ending.exit, 'data');
  assert.deepEqual(
    ending.done.map(({ type }) => type),
    ['refund', 'dispute'],
  );
  assert.equal(readDay(rig.data, 'refund', DAY)?.docs.length, 120);
  const [failed] = ending.failed;
  assert.match(
    failed?.message ?? '',
    /POST http.*\(charge 2026-11-20\): it answered HTTP 422: no \*\*\* for you/,
  );
  assert.match(
    failed?.curl ?? '',
    /^curl -X POST 'http:\/\/127.*' .*-H 'x-api-key: \*\*\*' --data '\{"type":"charge","day":"2026-11-20","limit":100\}'$/,
  );
  const set = join(rig.data, 'type=charge', `day=${DAY}`);
  const [note = ''] = filesBelow(set);
  assert.match(note, /^_failed-\d{8}T\d{9}Z-http-422\.json$/);
  assert.match(readFileSync(join(set, note), 'utf8'), /"reason":"http-422"/);
  assert.equal(
    rig.api.asked.filter(({ type }) => type === 'charge').length,
    1,
    'a refusal is not tried again',
  );
});

test('answers that are not as described fail the unit as data, and say what there was', async (t) => {
  const cases: [body: unknown, message: RegExp][] = [
    [{ items: [] }, /no list at "data" \(it has items\); api\.records/],
    [{ data: [1] }, /record 1 of the page is no JSON object/],
    [{ data: [], next_cursor: {} }, /the next cursor is neither a text nor a number/],
    [[], /no list at "data"/],
  ];
  for (const [body, message] of cases) {
    const rig = await createEventsRig(t);
    rig.api.fault = () => ({ body });
    const ending = await rig.run({ wanted });
    assert.deepEqual([ending.exit, ending.failed[0]?.reason], ['data', 'bad-answer']);
    assert.match(ending.failed[0]?.message ?? '', message);
  }
});

test('a cursor that comes twice fails the unit instead of going round for ever', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 500));
  rig.api.fault = ({ number }) =>
    number >= 3 ? { body: { data: docsOf('charge', DAY, 10), next_cursor: 'charge_0000099' } } : undefined;
  const ending = await rig.run({ wanted });
  assert.deepEqual([ending.exit, ending.failed[0]?.reason], ['data', 'bad-answer']);
  assert.match(ending.failed[0]?.message ?? '', /cursor "charge_0000099" came twice/);
  assert.ok(rig.api.asked.length < 10);
});

test('a cursor that expires starts the day again, and what came before is not doubled', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 350));
  rig.api.fault = ({ number }) => (number === 3 ? { status: 410 } : undefined);
  const ending = await rig.run({ wanted, settings: rig.settings('events: [charge]\nwrite_batch_size: 90') });
  assert.equal(ending.exit, 'ok');
  assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docsOf('charge', DAY, 350));
  assert.equal(rig.api.asked.length, 3 + 4);
  rig.api.fault = ({ cursor }) => (cursor === undefined ? undefined : { status: 410 });
  rig.api.docs.set('charge/2026-11-19', docsOf('charge', DAY, 350));
  const again = await rig.run({ wanted: { day: '2026-11-19' } });
  assert.match(again.failed[0]?.message ?? '', /its cursor expired 3 times/);
});

test('a document that comes again as the pages shift is left out and counted', async (t) => {
  const rig = await createEventsRig(t);
  const docs = docsOf('charge', DAY, 40);
  rig.api.fault = ({ number }) => {
    const from = (number - 1) * 10 - (number > 2 ? 2 : 0);
    const data = docs.slice(from, from + 10);
    return { body: { data, next_cursor: number < 5 ? `page-${number}` : null } };
  };
  const ending = await rig.run({ wanted, settings: rig.settings('events: [charge]\nread_batch_size: 10') });
  const day = readDay(rig.data, 'charge', DAY);
  assert.deepEqual(day?.docs, docs);
  assert.equal(ending.done[0]?.duplicates, 2);
  assert.equal(day.seal.about.duplicates, 2);
});

test('pages that come shorter than asked, or empty with a cursor, do not end the day', async (t) => {
  const rig = await createEventsRig(t);
  const docs = docsOf('charge', DAY, 9);
  const pages = [docs.slice(0, 1), [], docs.slice(1, 8), docs.slice(8)];
  rig.api.fault = ({ number }) => ({
    body: { data: pages[number - 1], next_cursor: number < pages.length ? `page-${number}` : null },
  });
  await rig.run({ wanted });
  assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs, docs);
});

test('the kinds of failure end with different codes, and the one that mends itself wins over refused data', async (t) => {
  const rig = await createEventsRig(t);
  const settings = rig.settings('events: [charge, refund]\nretry_sla: 1');
  rig.api.fault = ({ type }) => ({ status: type === 'charge' ? 400 : 502 });
  assert.equal((await rig.run({ wanted, settings })).exit, 'transient');
  rig.api.fault = ({ type }) => (type === 'charge' ? { status: 400 } : undefined);
  assert.equal((await rig.run({ wanted, settings })).exit, 'data');
  rig.api.fault = () => undefined;
  assert.equal((await rig.run({ wanted, settings })).exit, 'ok');
});

test('an API that bears few requests at once is asked by few at once', async (t) => {
  const rig = await createEventsRig(t);
  const days = Array.from({ length: 24 }, (_, index) => `2026-10-${String(index + 1).padStart(2, '0')}`);
  for (const day of days) rig.api.docs.set(`charge/${day}`, docsOf('charge', day, 900));
  let inFlight = 0;
  let refused = 0;
  rig.api.before = async () => {
    inFlight += 1;
    await new Promise((resolve) => setImmediate(resolve));
  };
  rig.api.fault = () => {
    const isTooMany = inFlight > 4;
    inFlight -= 1;
    if (isTooMany) refused += 1;
    return isTooMany ? { status: 429 } : undefined;
  };
  const wantedDays = { from: '2026-10-01', to: '2026-10-24' };
  const ending = await rig.run({ wanted: wantedDays, parallel: 16 });
  assert.equal(ending.exit, 'ok');
  assert.ok(refused < rig.api.asked.length / 5, `${refused} of ${rig.api.asked.length} were refused`);
  assert.ok(rig.api.busiest() >= 3, 'it never tried more than two at once');
  for (const day of days) assert.equal(readDay(rig.data, 'charge', day)?.docs.length, 900);
});

test("a bucket that refuses to be written ends the run with the store's code, not after pulling every day for nothing", async (t) => {
  const { rig, bucket } = await createBucketRig(t, ['put']);
  const settings = rig.settings(`events: [charge]\n${bucket}`);
  const ending = await rig.run({ settings });
  assert.deepEqual([ending.exit, ending.failed.length, ending.stopped], ['store', 1, 6]);
  assert.match(ending.failed[0]?.message ?? '', /AccessDenied/);
  assert.equal(rig.api.asked.length, 1);
});
