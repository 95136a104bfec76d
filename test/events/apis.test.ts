// Six kinds of API by description alone: the original one, Stripe's list calls, and others that differ in cursor, dates,
// auth and place of the records.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEventsFile } from '../../app/events/settings/read.ts';
import { API_KEY, docsOf, type PageAsk, type Shape, startEventsApi } from '../support/events/api.ts';
import { createEventsRig, readDay } from '../support/events/rig.ts';

const DAY = '2026-11-20';

interface Kind {
  readonly shape: Shape;
  /** Below `api:`. */
  readonly api: string;
  /** What the first request must look like. */
  readonly first: (ask: PageAsk) => void;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'the original: POST, cursor in the body': {
    shape: 'original',
    api: '{}',
    first: ({ headers, body }) => {
      assert.equal(headers['x-api-key'], API_KEY);
      assert.deepEqual(JSON.parse(body), { type: 'charge', day: DAY, limit: 100 });
    },
  },
  "Stripe's lists: last id, seconds since 1970, Bearer": {
    shape: 'last-id',
    api: `
  method: GET
  path: /{type}
  types: { charge: charges }
  query: { 'created[gte]': '{start_unix}', 'created[lt]': '{end_unix}', limit: '{limit}', starting_after: '{cursor}' }
  auth: { header: Authorization, value: 'Bearer {key}' }
  page: { by: last_id, more: has_more }
  limit_min: 1`,
    first: ({ headers, type }) => {
      assert.equal(headers.authorization, `Bearer ${API_KEY}`);
      assert.equal(type, 'charges');
    },
  },
  'the next page in a Link header, basic auth, records at items': {
    shape: 'link',
    api: `
  method: GET
  path: /{type}
  query: { date: '{day}', limit: '{limit}' }
  auth: { basic_user: '{key}' }
  records: items
  page: { by: link }`,
    first: ({ headers }) => {
      const encoded = Buffer.from(`${API_KEY}:`).toString('base64');
      assert.equal(headers.authorization, `Basic ${encoded}`);
    },
  },
  'an offset, records two levels down, no auth': {
    shape: 'offset',
    api: `
  method: GET
  path: /{type}
  query: { date: '{day}', limit: '{limit}', offset: '{cursor}' }
  auth: none
  records: result.rows
  page: { by: offset }`,
    first: ({ headers }) => assert.equal(headers['x-api-key'], undefined),
  },
  'page numbers': {
    shape: 'page',
    api: `
  method: GET
  path: /{type}
  query: { date: '{day}', limit: '{limit}', page: '{cursor}' }
  records: result.rows
  page: { by: page }`,
    first: ({ cursor }) => assert.equal(cursor, undefined),
  },
  'the next cursor in a header, the answer itself the list': {
    shape: 'header-cursor',
    api: `
  method: GET
  path: /{type}
  query: { date: '{day}', limit: '{limit}', cursor: '{cursor}' }
  records: ''
  page: { by: cursor, header: X-Next-Cursor }`,
    first: ({ limit }) => assert.equal(limit, 100),
  },
};

for (const [name, { shape, api, first }] of Object.entries(KINDS)) {
  test(`${name}: every record once, in order, with no code of its own`, async (t) => {
    const rig = await createEventsRig(t, shape);
    const spelled = api.includes('charges') ? 'charges' : 'charge';
    for (const count of [0, 1, 100, 250]) {
      rig.api.docs.set(`${spelled}/${DAY}`, docsOf('charge', DAY, count));
      const settings = rig.settings(`events: [charge]\napi: ${api}`);
      const ending = await rig.run({ wanted: { day: DAY }, settings });
      assert.equal(ending.exit, 'ok', JSON.stringify(ending.failed));
      assert.deepEqual(
        readDay(rig.data, 'charge', DAY)?.docs,
        docsOf('charge', DAY, count),
        `${count} records`,
      );
    }
    const [ask] = rig.api.asked;
    assert.ok(ask);
    first(ask);
  });
}

test('a next page on another server is refused: the key is not sent there', async (t) => {
  const rig = await createEventsRig(t, 'link');
  const other = await startEventsApi(t, 'link');
  const body = { items: docsOf('charge', DAY, 2), next: `${other.url}/charge?date=${DAY}` };
  rig.api.fault = () => ({ body });
  const api = '{ method: GET, path: "/{type}", records: items, page: { by: link, body: next } }';
  const ending = await rig.run({
    wanted: { day: DAY },
    settings: rig.settings(`events: [charge]\napi: ${api}`),
  });
  assert.deepEqual([ending.exit, other.asked.length], ['data', 0]);
  assert.match(ending.failed[0]?.message ?? '', /another server .*: the key is not sent there/);
});

test('a link may be relative, and one that names the same page twice ends as a loop', async (t) => {
  const rig = await createEventsRig(t, 'link');
  const docs = docsOf('charge', DAY, 4);
  rig.api.fault = ({ number }) => ({
    body: {
      items: docs.slice(number - 1, number),
      next: number < 3 ? `/v1/charge?at=${number}` : '/v1/charge?at=2',
    },
  });
  const api = '{ method: GET, path: "/{type}", records: items, page: { by: link, body: next } }';
  const ending = await rig.run({
    wanted: { day: DAY },
    settings: rig.settings(`events: [charge]\napi: ${api}`),
  });
  assert.match(ending.failed[0]?.message ?? '', /came twice/);
  assert.equal(rig.api.asked.length, 3);
});

test('a status can mean a day without records; a rate is kept', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.fault = ({ type }) => (type === 'refund' ? { status: 404 } : undefined);
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 1_000));
  const startMs = rig.clock.now();
  const text = 'events: [charge, refund]\napi: { errors: { empty: [404] }, per_second: 2 }';
  const ending = await rig.run({ wanted: { day: DAY }, settings: rig.settings(text) });
  assert.equal(ending.exit, 'ok');
  assert.equal(readDay(rig.data, 'refund', DAY)?.seal.facts.records, '0');
  assert.ok(
    rig.clock.now() - startMs >= 4_500,
    `${rig.clock.now() - startMs} ms for 11 requests at 2 a second`,
  );
});

test('the templates of a description are checked before anything is asked', () => {
  const text = (api: string) => `url: https://a.example\nsave_data_locally: true\nevents: [a]\napi: ${api}\n`;
  const parse = (api: string) => () => parseEventsFile('events.yaml', text(api), '/');
  assert.throws(parse('{ method: GET, query: { d: "{day}" } }'), /never sends \{cursor\}/);
  assert.throws(parse('{ page: { by: last_id }, id: "" }'), /needs ids/);
  assert.throws(parse('{ path: "/{tpye}" }'), /did you mean \{type\}/);
});
