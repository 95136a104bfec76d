// The same as the quick one, with a thousand writers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRig, localHashes } from '../support/mover-rig.ts';
import { runWriters } from '../support/writers.ts';
import { assertWritersMoved } from '../support/writers-check.ts';

test('1,000 writers of every kind: no half-written object, none twice, none lost', async (t) => {
  const rig = await createRig(t, { settings: { settleMs: 3_000 } });
  const mover = await rig.start();
  const written = await runWriters(rig.source, 1_000, 100);
  await assertWritersMoved(rig, mover, written);
  assert.equal(localHashes(rig.source).size, 0);
});
