// The heartbeat beats only while everything is proved in time.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { createLog } from '../../app/core/log.ts';
import { beat, isWell } from '../../app/files/heartbeat.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/temp.ts';
import { snapshotOf } from './snapshot-of.ts';

const AT = 1_000_000_000_000;
const MINUTE = 60_000;

async function receiver(t: TestContext, status = 200) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(status).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return { paths, url: `http://127.0.0.1:${port}/ping/secret-id` };
}

test('all is well while the walks go on and no file waits too long', () => {
  const well = snapshotOf({ atMs: AT, lastWalkAtMs: AT - MINUTE, oldestUnprovedAgeMs: 5 * MINUTE });
  assert.equal(isWell(well, 15 * MINUTE), true);
  assert.equal(
    isWell({ ...well, oldestUnprovedAgeMs: undefined }, 15 * MINUTE),
    true,
    'an idle writer is well',
  );
  assert.equal(isWell({ ...well, oldestUnprovedAgeMs: 16 * MINUTE }, 15 * MINUTE), false);
  assert.equal(
    isWell({ ...well, lastWalkAtMs: AT - 16 * MINUTE }, 15 * MINUTE),
    false,
    'files may wait unseen',
  );
  assert.equal(isWell({ ...well, lastWalkAtMs: undefined }, 15 * MINUTE), false);
});

test('it beats each minute, pauses while a file waits too long, and goes on after that', async (t) => {
  const { paths, url } = await receiver(t);
  const clock = createFakeClock({ startMs: AT });
  const stop = new AbortController();
  let ageMs = 0;
  const snapshot = () =>
    snapshotOf({ atMs: clock.now(), lastWalkAtMs: clock.now(), oldestUnprovedAgeMs: ageMs });
  const settings = { heartbeatUrl: url, heartbeatWithinMs: 15 * MINUTE };
  const log = createLog({ level: 'info', stream: { write: () => {} } });
  const ended = beat({ settings, snapshot, clock, log, env: {}, signal: stop.signal });
  await until(() => paths.length === 1 && clock.sleeping > 0, 'the first beat');
  await clock.advance(MINUTE);
  await until(() => paths.length === 2 && clock.sleeping > 0, 'the second');
  ageMs = 16 * MINUTE;
  await clock.advance(5 * MINUTE);
  assert.equal(paths.length, 2);
  ageMs = 0;
  await clock.advance(MINUTE);
  await until(() => paths.length === 3, 'it goes on');
  assert.deepEqual([...new Set(paths)], ['/ping/secret-id']);
  stop.abort();
  await ended;
});

test('an answer that is no success and a receiver that is away are told without the secret, and nothing stops', async (t) => {
  const { url } = await receiver(t, 500);
  const lines: string[] = [];
  const log = createLog({ level: 'info', stream: { write: (line) => lines.push(line) } });
  for (const heartbeatUrl of [url, 'http://127.0.0.1:1/ping/secret-id']) {
    const stop = new AbortController();
    const snapshot = () => snapshotOf({ atMs: Date.now(), lastWalkAtMs: Date.now() });
    const settings = { heartbeatUrl, heartbeatWithinMs: MINUTE };
    const before = lines.length;
    const ended = beat({ settings, snapshot, clock: systemClock, log, env: {}, signal: stop.signal });
    await until(() => lines.length > before, 'it is told');
    stop.abort();
    await ended;
  }
  assert.match(lines.join(''), /status 500/);
  assert.match(lines.join(''), /could not be sent/);
  assert.doesNotMatch(lines.join(''), /secret-id/);
});
