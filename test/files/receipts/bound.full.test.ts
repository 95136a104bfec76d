// Receipts on their way take no more of the state volume than the plan gives them: neither in a burst, nor in days
// without the bucket.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { provedLine, RECEIPTS_PREFIX } from '../../../app/files/receipts/line.ts';
import { openSpool } from '../../../app/files/receipts/spool.ts';
import { RECEIPTS_STATE_BYTES } from '../../../app/plan/measured.ts';
import { createRig } from '../../support/mover-rig.ts';
import { tempDir, until } from '../../support/temp.ts';

const AT = Date.UTC(2026, 10, 21, 13);
const MINUTE_MS = 60_000;
/** As fast as 16 uploads at a time ever are, for a minute. */
const LINES = 320 * 60;

test('receipts that wait stay within what the plan gives them; what is beyond is counted, and with room it goes on', {
  timeout: 900_000,
}, async (t) => {
  const directory = join(await tempDir(t), 'spool');
  const sizeBytes = (): number =>
    readdirSync(directory).reduce(
      (all, name) => all + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  const spool = openSpool(directory, '/var/file-writer/data');
  const hex = randomBytes(LINES * 16 + 64).toString('hex');
  const line = (number: number, atMs: number): string => {
    const path = `site/reading-${number}.json`;
    return provedLine(
      {
        path,
        key: `dt=2026-11-21/hh=13/${path}`,
        stat: { size: 1_024, mtimeMs: atMs - number, ctimeMs: 0, ino: 1 },
        sha256: hex.slice(number * 32, number * 32 + 64),
        etag: hex.slice(number * 31, number * 31 + 32),
        proof: 'put',
      },
      atMs,
      atMs - 5,
    );
  };
  let most = 0;
  const minute = async (nowMs: number) => {
    for (let number = 0; number < LINES; number += 1) spool.add(line(number, nowMs), nowMs);
    spool.seal(nowMs, false);
    let compressing = true;
    const ready = spool.ready().finally(() => {
      compressing = false;
    });
    while (compressing) {
      most = Math.max(most, sizeBytes());
      await turn();
    }
    return ready;
  };
  let minutes = 0;
  for (; spool.lost === 0 && minutes < 300; minutes += 1) await minute(AT + minutes * MINUTE_MS);
  assert.ok(spool.lost > 0, 'there is a limit');
  assert.ok(most <= RECEIPTS_STATE_BYTES, `${most} bytes`);
  for (const { name } of await spool.ready()) spool.done(name);
  await minute(AT + minutes * MINUTE_MS);
  const before = spool.lost;
  await minute(AT + (minutes + 1) * MINUTE_MS);
  assert.equal(spool.lost, before, 'with room nothing more is lost');
  t.diagnostic(`${minutes} minutes of ${LINES} files, at most ${Math.ceil(most / 2 ** 20)} MiB`);
});

test('a part that is full goes to the bucket at once, not with the minute or the end of the pass', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, retentionMs: 60 * MINUTE_MS } });
  // Long paths: a line says one twice, and 8 MiB of lines are a part.
  const below = [1, 2, 3, 4].map((level) => `${level}`.repeat(230)).join('/');
  for (let number = 0; number < 4_500; number += 1) rig.write(`${below}/${number}`, `${number}`);
  await rig.start();
  const receipts = () => [...rig.server.objects.keys()].filter((key) => key.startsWith(RECEIPTS_PREFIX));
  // A minute has not gone by since the first file was proved.
  await until(() => receipts().length === 1, 'a receipt is in the bucket', MINUTE_MS / 2);
});
