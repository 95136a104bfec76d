// The key is planted and then looked for: on stdout and stderr, in log files, in every object, at every log level, when all
// goes well and when everything fails.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { silentLog } from '../../app/core/log.ts';
import { chooseWork, openWorkshop, workThrough } from '../../app/events/run.ts';
import { createSecret } from '../../app/events/secret.ts';
import { serveMetrics } from '../../app/events/serve.ts';
import { ferry } from '../support/cli.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { createEventsRig } from '../support/events/rig.ts';

/** However it may be spelled: as it is, in a URL, in base64 of `key:`, in JSON. */
const SPELLINGS = [
  API_KEY,
  encodeURIComponent(API_KEY),
  Buffer.from(`${API_KEY}:`).toString('base64').slice(0, 20),
  API_KEY.slice(0, 14),
];

function holds(text: string): string | undefined {
  return SPELLINGS.find((spelling) => text.includes(spelling));
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

for (const level of ['debug', 'info', 'warn', 'error']) {
  test(`the key is nowhere at log level ${level}: output, log files, objects, spool, notes of failures`, async (t) => {
    const rig = await createEventsRig(t);
    rig.api.docs.set('charge/2026-11-10', docsOf('charge', '2026-11-10', 120));
    rig.api.fault = ({ type, number, headers }) => {
      if (number % 4 === 1) return { status: 502, text: `you sent ${String(headers.authorization)}` };
      // An API that says what it was given.
      if (type === 'refund') return { status: 400, text: `key=${encodeURIComponent(API_KEY)} ${API_KEY}` };
      return type === 'dispute' ? { body: { [API_KEY]: 1 } } : undefined;
    };
    const key = join(rig.directory, 'mounted-key');
    writeFileSync(key, `${API_KEY}\n`);
    const config = join(rig.directory, 'events.yaml');
    writeFileSync(
      config,
      `url: ${rig.api.url}
save_data_locally: true
log_level: ${level}
log_path: logs
retry_time_delta: 0
events: [charge, refund, dispute]
api: { auth: { basic_user: '{key}' } }
`,
    );
    const outputs = await Promise.all([
      ferry(['events', '--config', config, '--day', '2026-11-10', '--stack'], {
        cwd: rig.directory,
        env: { API_KEY_FILE: key },
      }),
    ]);
    for (const { stdout, stderr, exit } of outputs) {
      assert.equal(exit, 8, stdout + stderr);
      assert.equal(holds(stdout + stderr), undefined);
    }
    const files = filesUnder(rig.directory).filter((path) => path !== key);
    assert.ok(
      files.some((path) => path.includes('_failed-')) && files.some((path) => path.includes('logs/')),
    );
    for (const path of files) {
      const body = readFileSync(path);
      const text = path.endsWith('.gz') ? gunzipSync(body).toString() : body.toString('latin1');
      assert.equal(holds(path + text), undefined, path);
    }
  });
}

test('the key is in no metric, though every answer repeats it', async (t) => {
  const rig = await createEventsRig(t);
  rig.api.fault = ({ type }) =>
    type === 'charge' ? { status: 400, text: API_KEY } : { body: { [API_KEY]: API_KEY } };
  const { signal } = new AbortController();
  const settings = { ...rig.settings('events: [charge, refund]'), lookback: 1 };
  const shop = await openWorkshop({ settings, clock: rig.clock, log: silentLog, signal, env: { API_KEY } });
  t.after(() => shop.close());
  const server = await serveMetrics('127.0.0.1:0', shop.counts, rig.clock);
  t.after(() => server.close());
  assert.equal((await workThrough(shop, await chooseWork(shop, {}), 2)).failed.length, 2);
  const text = await (await fetch(`http://${server.address}/metrics`)).text();
  assert.match(text, /^ferry_events_failed_type_days_total\{kind="data"\} 2$/m);
  assert.equal(holds(text), undefined);
});

test('a secret prints as *** in every way a program prints', () => {
  const secret = createSecret(API_KEY);
  const prints = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret, { depth: 10, showHidden: true }),
    inspect({ deep: [{ secret }] }, { depth: 10, showHidden: true, getters: true }),
    new Error(`x ${secret}`).stack ?? '',
    Object.entries(secret).join(),
  ];
  for (const print of prints) assert.equal(holds(print), undefined, print);
});

test('whatever stands around it, a masked text does not hold the secret, nor its base64', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...'abcXYZ019+/=_-%&') }),
      fc.string(),
      fc.string(),
      (key, before, after) => {
        const { mask } = createSecret(key);
        assert.ok(!mask(before + key + after).includes(key));
        assert.ok(!mask(encodeURIComponent(before.toWellFormed()) + encodeURIComponent(key)).includes(key));
        const encoded = Buffer.from(`${before}${key}${after}`).toString('base64');
        const inner = Buffer.from(key).toString('base64').slice(4, -4);
        if (Buffer.byteLength(before) % 3 === 0 && inner.length > 8)
          assert.ok(!mask(encoded).includes(inner));
      },
    ),
  );
});
