// With a spill volume two movers write receipts: each its own, told apart, and a file is found whichever way it went.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { EXIT } from '../../../app/core/errors.ts';
import { RECEIPTS_PREFIX } from '../../../app/files/receipts/line.ts';
import { parseLine } from '../../../app/files/receipts/parse.ts';
import { credentialsOf, spawnFerry, toServer } from '../../support/ferry-child.ts';
import { createRig, dataObjects, localHashes } from '../../support/mover-rig.ts';
import { until } from '../../support/temp.ts';

const LIMITED = {
  highWatermark: 0.7,
  lowWatermark: 0.6,
  criticalWatermark: 0.8,
  volumeLimitBytes: 100 * 4_096,
  retentionMs: 3_600_000,
};

test('what went by the spill volume has receipts of its own, and where and verify find both ways', async (t) => {
  const rig = await createRig(t, { settings: { ...LIMITED, receipts: true } });
  const spill = join(rig.directory, 'spill');
  const mover = await rig.start({ spill });
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const down = rig.server.faults.add({ when: () => true, do: { kind: 'reset' } });
  for (let number = 0; number < 95; number += 1) rig.writeOld(`shift/file-${number}`, 60_000 - number);
  const moved = (): number => mover.snapshot().spill?.moved.files ?? 0;
  await until(() => moved() > 0 && localHashes(rig.source).size + moved() === 95, 'some went over', 30_000);
  down.remove();
  await until(() => localHashes(join(spill, 'files')).size === 0, 'the spill volume is empty again', 30_000);
  const allProved = (): boolean => {
    const { backlog, unproved, retained } = mover.snapshot();
    return backlog.files + unproved.files === 0 && retained.files >= localHashes(rig.source).size;
  };
  await until(allProved, 'the others are proved', 30_000);
  mover.drain();
  await mover.done;
  const [stayed = ''] = localHashes(rig.source).keys();

  const sources = new Map<string, { proved: string[]; freed: string[] }>();
  for (const [key, { body, puts }] of rig.server.objects) {
    if (!key.startsWith(RECEIPTS_PREFIX)) continue;
    assert.equal(puts, 1, key);
    const texts = gunzipSync(body ?? '')
      .toString()
      .trimEnd()
      .split('\n');
    const lines = texts.map((text) => parseLine(text) ?? assert.fail(text));
    const end = lines.at(-1);
    assert.ok(end?.event === 'end', key);
    const told = sources.get(end.source) ?? { proved: [], freed: [] };
    for (const line of lines) {
      if (line.event === 'proved') told.proved.push(line.file);
      if (line.event === 'freed') told.freed.push(`${line.why} ${line.file}`);
    }
    sources.set(end.source, told);
  }
  const here = sources.get(rig.source);
  const there = sources.get(join(spill, 'files'));
  assert.ok(here !== undefined && there !== undefined && sources.size === 2);
  assert.deepEqual(here.freed, [], 'its retention is not over');
  assert.equal(there.proved.length, moved());
  assert.deepEqual(there.freed.sort(), there.proved.map((file) => `spill ${file}`).sort());
  // An upload that was under way when its file went over may end as well: one object, told of by both.
  assert.equal(new Set([...here.proved, ...there.proved]).size, 95, 'each file is told of');
  assert.equal(dataObjects(rig.server).length, 95);
  const { receiptObjects, receiptLinesLost } = mover.snapshot().total;
  // Each source has one, and one more where an hour ended in the middle of the test.
  const receipts = [...rig.server.objects.keys()].filter((key) => key.startsWith(RECEIPTS_PREFIX)).length;
  assert.ok(receipts >= 2 && receipts <= 4, `${receipts} receipts`);
  assert.deepEqual({ receiptObjects, receiptLinesLost }, { receiptObjects: receipts, receiptLinesLost: 0 });

  const ask = async (...words: string[]) =>
    spawnFerry(t, [...words, ...toServer(rig.server)], { env: credentialsOf(rig.server) }).ended;
  const [spilled = ''] = there.proved;
  const [away, kept, day] = await Promise.all([
    ask('where', spilled),
    ask('where', stayed),
    ask('verify', '--source', rig.source),
  ]);
  assert.match(away.stdout, /freed {4}.* UTC: it was on the spill volume/, away.stderr);
  assert.match(kept.stdout, /freed {4}no receipt says so/, kept.stderr);
  assert.equal(day.exit, EXIT.ok, day.stdout + day.stderr);
  assert.match(
    day.stdout,
    new RegExp(`${receipts} receipts tell of 95 files proved, ${moved()} of them freed since`),
  );
});
