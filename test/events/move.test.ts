// From the API to sealed days: every record once, in parts of the asked size, the same bytes each time, empty days told
// from days not fetched.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { addDays, dayOf } from '../../app/events/days.ts';
import { ferry } from '../support/cli.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { createBucketRig, createEventsRig, filesBelow, readDay } from '../support/events/rig.ts';

const DAY = '2026-11-20';

test('every record of every type and closed day arrives once, page after page, and is sealed', async (t) => {
  const rig = await createEventsRig(t);
  const types = ['balance_transaction', 'charge', 'customer', 'dispute', 'event', 'refund'];
  for (const [index, type] of types.entries())
    rig.api.docs.set(`${type}/${DAY}`, docsOf(type, DAY, index * 130));
  const ending = await rig.run({ settings: rig.settings(`events: [${types.join(', ')}]\nlookback: 2`) });
  assert.equal(ending.exit, 'ok');
  assert.equal(ending.done.length, 12);
  for (const [index, type] of types.entries()) {
    const day = readDay(rig.data, type, DAY);
    assert.deepEqual(day?.docs, docsOf(type, DAY, index * 130), type);
    assert.equal(day.seal.facts.records, String(index * 130));
    assert.equal(readDay(rig.data, type, '2026-11-21'), undefined, 'today is not over');
  }
  const [first] = rig.api.asked;
  assert.equal(first?.headers['x-api-key'], 'sk_test_PLANTED+secret/0123456789==');
  assert.equal(first?.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(first?.body ?? ''), { type: types[0], day: '2026-11-19', limit: 100 });
});

test('an empty day is sealed with no part; a day not fetched has no seal', async (t) => {
  const rig = await createEventsRig(t);
  await rig.run({ wanted: { day: DAY } });
  const day = readDay(rig.data, 'charge', DAY);
  assert.deepEqual(day?.docs, []);
  assert.equal(day.seal.facts.records, '0');
  assert.equal(readDay(rig.data, 'charge', '2026-11-19'), undefined);
});

test('parts end at so many records or so many bytes, the same for any page size', async (t) => {
  const seen: string[][] = [];
  for (const limit of [10, 37, 100]) {
    const rig = await createEventsRig(t);
    rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 250));
    const text = `events: [charge]\nread_batch_size: ${limit}\nwrite_batch_size: 120\nwrite_batch_bytes: 10k`;
    await rig.run({ settings: rig.settings(text), wanted: { day: DAY } });
    const set = join(rig.data, 'type=charge', `day=${DAY}`);
    const parts = filesBelow(set).filter((name) => name.startsWith('part-'));
    assert.ok(parts.length >= 3);
    assert.deepEqual(readDay(rig.data, 'charge', DAY)?.docs.length, 250);
    seen.push(parts.map((name) => `${name} ${readFileSync(join(set, name)).toString('base64')}`));
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(seen[1], seen[2]);
});

test('the gzip header holds neither time nor system', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 3));
  await rig.run({ wanted: { day: DAY } });
  const part = readFileSync(join(rig.data, 'type=charge', `day=${DAY}`, 'part-00000.ndjson.gz'));
  assert.deepEqual([...part.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
});

test('a bucket and the local folder get the same objects by a role that can neither read nor delete', async (t) => {
  const { rig, server, env, bucket } = await createBucketRig(t, ['read', 'delete']);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 150));
  const settings = rig.settings(`events: [charge]\ns3_key: raw/api/\n${bucket}`);
  assert.equal((await rig.run({ settings, wanted: { day: DAY }, env })).exit, 'ok');
  const set = join(rig.data, 'type=charge', `day=${DAY}`);
  const local = filesBelow(set);
  const remote = [...server.objects.keys()].filter((key) => key.includes(DAY)).sort();
  assert.deepEqual(
    remote,
    local.map((name) => `raw/api/type=charge/day=${DAY}/${name}`),
  );
  for (const name of local)
    assert.deepEqual(
      server.objects.get(`raw/api/type=charge/day=${DAY}/${name}`)?.body,
      readFileSync(join(set, name)),
    );
  // The second run finds everything there by listing alone.
  const before = server.objects.size;
  assert.deepEqual((await rig.run({ settings, wanted: { day: DAY }, env })).done[0]?.outcome, 'unchanged');
  assert.equal(server.objects.size, before);
});

test('numbers that JavaScript cannot hold arrive as they were sent', async (t) => {
  const rig = await createEventsRig(t);
  const text = '{"id":"a","big":12345678901234567890,"price":1.10,"tiny":0.0000001,"e":1e5,"list":[1.0,2]}';
  rig.api.fault = () => ({ body: rawObject(`{"data":[${text}],"next_cursor":null}`) });
  await rig.run({ wanted: { day: DAY } });
  const part = join(rig.data, 'type=charge', `day=${DAY}`, 'part-00000.ndjson.gz');
  assert.equal(gunzipSync(readFileSync(part)).toString(), `${text}\n`);
});

/** A value that JSON.stringify writes as this text. */
function rawObject(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const raw = JSON as typeof JSON & { rawJSON(source: string): object };
    return typeof value === 'number' && context?.source !== undefined ? raw.rawJSON(context.source) : value;
  });
}

test('the log of a day is an object of its own, listed in the seal with its checksum', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 3));
  rig.api.fault = ({ number }) => (number === 1 ? { status: 502 } : undefined);
  await rig.run({ wanted: { day: DAY } });
  const day = readDay(rig.data, 'charge', DAY) ?? assert.fail();
  const { log } = day.seal.about as { log: { key: string; sha256: string } }; // the mover's
  const body = readFileSync(join(rig.data, 'type=charge', `day=${DAY}`, log.key));
  assert.equal(hash('sha256', body, 'hex'), log.sha256);
  const lines = gunzipSync(body).toString();
  assert.match(lines, /tried again.*HTTP 502/);
  assert.match(lines, /is pulled","records":3,"pages":1/);
});

test('log level and path are those of the settings, and every line of a day has one of both', async (t) => {
  const rig = await createEventsRig(t);
  const yesterday = addDays(dayOf(Date.now()), -1);
  for (const [level, lines] of [
    ['info', /"level":"info".*sealed charge/],
    ['error', undefined],
  ] as const) {
    const directory = join(rig.directory, level);
    mkdirSync(directory);
    const more = `log_level: ${level}\nlog_path: where/logs\nevents: [charge]\n`;
    writeFileSync(join(directory, 'events.yaml'), `url: ${rig.api.url}\nsave_data_locally: true\n${more}`);
    const { exit, stdout } = await ferry(['events', '--day', yesterday], {
      cwd: directory,
      env: { API_KEY },
    });
    assert.equal(exit, 0, stdout);
    const logs = filesBelow(join(directory, 'where/logs'));
    const text = logs.map((name) => readFileSync(join(directory, 'where/logs', name), 'utf8')).join('');
    if (lines === undefined) assert.deepEqual([stdout, text], ['', '']);
    else for (const written of [stdout, text]) assert.match(written, lines);
    assert.ok(!stdout.includes('\u001b'), 'no line is redrawn where there is no terminal');
  }
});
