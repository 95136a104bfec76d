// The settings file: what older files hold loads unchanged, and every mistake is told with its line, column and remedy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../app/core/errors.ts';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { eventsSpec } from '../../app/events/settings/flags.ts';
import { parseEventsFile } from '../../app/events/settings/read.ts';
import { jsonSchema } from '../../app/events/settings/schema.ts';
import { ferry, ROOT } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

const FIXTURE = join(import.meta.dirname, 'z_api.yaml');
const GOOD = 'url: https://api.example.com/v1\nsave_data_locally: true\nevents: [charge]\n';

const parse = (text: string) => parseEventsFile('events.yaml', text, '/base');

/** The message of what is wrong with a file. */
function wrong(text: string): string {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof FerryError && error.exit === 'config', String(error));
    return error.message;
  }
  return assert.fail('it was taken');
}

test('a file of the original program loads unchanged, its metadata and True included', () => {
  const { url, headers, events, read_batch_size, s3_bucket, s3_key, retry_sla, retry_time_delta, ...rest } =
    parse(readFileSync(FIXTURE, 'utf8'));
  assert.deepEqual(
    { url, headers, events, read_batch_size, s3_bucket, s3_key, retry_sla, retry_time_delta },
    {
      url: 'https://api.example.com/v1/events',
      headers: { 'Content-Type': 'application/json' },
      events: ['balance_transaction', 'charge', 'customer', 'dispute', 'event', 'refund'],
      read_batch_size: 100,
      s3_bucket: 'z-ingest',
      s3_key: 'raw/z-api/',
      retry_sla: 10,
      retry_time_delta: 5_000,
    },
  );
  assert.equal(rest.save_data_locally, true);
  assert.equal(rest.local_path, '/base/data');
});

test('the six keys mean the same at the top level', () => {
  const flat = readFileSync(FIXTURE, 'utf8')
    .replace('metadata:\n', '')
    .replaceAll(/^ {2}(?! *-)(?=\w+_)/gm, '');
  assert.deepEqual(parse(flat), parse(readFileSync(FIXTURE, 'utf8')));
});

test('each mistake is told with line and column, what was expected and what to do, all in one go', () => {
  const message = wrong(
    [
      'url: api.example.com',
      'events: [charge, "no type", charge]',
      'read_batch_sise: 100',
      'save_data_locally: yes please',
      'retry_time_delta: soon',
      'write_batch_bytes: 0',
      'api:',
      '  page: { by: cursr }',
      '  errors: { retry: [99] }',
      '  bodi: {}',
    ].join('\n'),
  );
  for (const place of ['1:6 url', '2:18 events.1', '3:1', '4:20', '5:19', '6:20', '8:', '9:21', '10:3'])
    assert.ok(message.includes(`events.yaml:${place}`), `${place} in ${message}`);
  assert.match(message, /unknown key "read_batch_sise"\n +expected: did you mean read_batch_size\?/);
  assert.match(message, /unknown key "bodi" in api\n +expected: did you mean body\?/);
  assert.equal(message.match(/expected: /g)?.length, message.match(/to mend: /g)?.length);
});

test('what is right by itself and wrong together is told too', () => {
  assert.match(wrong('url: https://a\nevents: [a]\n'), /has nowhere to write to/);
  assert.match(
    wrong(`${GOOD}read_batch_size: 5\n`),
    /events\.yaml:4:18 read_batch_size is 5, .*\n +expected: 10 to 100/,
  );
  assert.match(
    wrong(`${GOOD.replace('[charge]', '[a, b, a]')}`),
    /events\.yaml:3:16 events.2 is named twice/,
  );
  assert.match(wrong(`${GOOD}s3_key: a\nmetadata: { s3_key: b }\n`), /written twice/);
  assert.match(
    wrong(`${GOOD}api: { body: { day: "{dya}", c: "{cursor}" } }\n`),
    /\{dya\}\n +expected: did you mean \{day\}/,
  );
  assert.match(wrong(`${GOOD}api: { body: { day: "{day}" } }\n`), /never sends \{cursor\}/);
});

test('a key in the file is refused and not repeated', () => {
  for (const name of ['x-api-key', 'Authorization', 'X-Auth-Token', 'api_key']) {
    const message = wrong(`${GOOD}headers:\n  ${name}: planted-secret\n`);
    assert.match(message, new RegExp(`events\\.yaml:5:3 headers\\.${name} looks like a key`));
    assert.doesNotMatch(message, /planted-secret/);
  }
});

test('a file that is no YAML, is empty or is a list is an error with a place, not a crash', () => {
  assert.match(wrong('url: [\n'), /events\.yaml:\d+:\d+ is not YAML/);
  assert.match(wrong(''), /events\.yaml:1:1/);
  assert.match(wrong('- a\n'), /events\.yaml:1:1/);
});

test('days that are in no calendar or in the future, and spans the wrong way, end with code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['--day', '2026-02-30'], /--day "2026-02-30" is not in the calendar/],
    [['--day', '20.11.2026'], /is no date: write it as 2026-11-20/],
    [['--day', '2999-01-01'], /is in the future/],
    [['--from', '2020-02-02', '--to', '2020-02-01'], /the last day comes before the first/],
    [['--to', '2020-02-01'], /without a first one/],
    [['--day', '2020-02-01', '--from', '2020-02-01'], /a day and a span/],
    [['--dayy', '2020-02-01'], /did you mean --day\?/],
  ];
  const results = await Promise.all(cases.map(([words]) => ferry(['events', ...words])));
  for (const [index, { exit, stderr }] of results.entries()) {
    assert.equal(exit, 2, stderr);
    assert.match(stderr, cases[index]?.[1] ?? /never/);
  }
});

test('a missing key, a missing file and an unknown type each say what to do', async (t) => {
  const { writeFileSync } = await import('node:fs');
  const file = join(await tempDir(t), 'events.yaml');
  writeFileSync(file, GOOD);
  const [noKey, noFile, noType, short] = await Promise.all([
    ferry(['events', '--config', file]),
    ferry(['events', '--config', `${file}.not`]),
    ferry(['events', 'status', '--config', file, '--types', 'chrge']),
    ferry(['events', '--config', file], { env: { API_KEY_FILE: `${file}.not` } }),
  ]);
  for (const { exit } of [noKey, noFile, noType, short]) assert.equal(exit, 2);
  assert.match(noKey.stderr, /API key is missing: neither API_KEY nor API_KEY_FILE/);
  assert.match(noFile.stderr, /does not exist/);
  assert.match(noType.stderr, /no event type "chrge".*They name charge/);
  assert.match(short.stderr, /cannot be read/);
});

test('the JSON Schema names every key with its meaning, and refuses others', async () => {
  const { exit, stdout } = await ferry(['events', 'schema']);
  assert.equal(exit, 0);
  const schema = JSON.parse(stdout) as { properties: Record<string, object>; additionalProperties: boolean }; // printed by us
  assert.deepEqual(schema, JSON.parse(JSON.stringify(jsonSchema())));
  assert.equal(schema.additionalProperties, false);
  for (const name of [
    'url',
    'headers',
    'events',
    'read_batch_size',
    's3_bucket',
    'metadata',
    'api',
    'flatten',
  ])
    assert.ok('description' in (schema.properties[name] ?? {}) || name === 's3', name);
});

test('every settings file that README and docs show is one that loads, and so is the delivered one', () => {
  const pages = ['README.md', 'docs/events.md'].map((page) => readFileSync(join(ROOT, page), 'utf8'));
  const shown = pages.flatMap((page) =>
    [...page.matchAll(/```yaml\n(url: .*?)```/gs)].map(([, text = '']) => text),
  );
  assert.ok(shown.length >= 2);
  for (const text of [...shown, readFileSync(join(ROOT, 'events.staging.yaml'), 'utf8')])
    assert.ok(parse(text).events.length >= 1);
});

test('what Airflow is told to run is what ferry takes: one type, the day of the schedule', () => {
  const page = readFileSync(join(ROOT, 'docs/events.md'), 'utf8');
  const [, list = ''] = /arguments=\[(\[.*?\])/.exec(page) ?? [];
  const told: unknown = JSON.parse(
    list.replaceAll('f"', '"').replace('{t}', 'charge').replace('{{ ds }}', '2026-11-20'),
  );
  assert.ok(Array.isArray(told));
  const [command, ...rest] = told.map(String);
  assert.equal(command, 'events');
  const flags = new Map(
    rest.map((flag): [string, string] => {
      const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/.exec(flag) ?? [];
      return [name, value];
    }),
  );
  const { config, type, day } = loadSettings(eventsSpec, { flags, env: {} });
  assert.deepEqual([config, type, day], ['/etc/ferry/events.yaml', ['charge'], '2026-11-20']);
});
