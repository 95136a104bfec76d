// An outage of the store while files wait: few requests while it lasts, every file moved once when it is over.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { assertExactly, createRig, localHashes } from './mover-rig.ts';
import type { FaultAction } from './s3/faults.ts';
import { until } from './temp.ts';

export async function boundedOutage(t: TestContext, action: FaultAction, outageMs: number): Promise<void> {
  const rig = await createRig(t);
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const outage = rig.server.faults.add({ when: () => true, do: action });
  const hashes = Array.from({ length: 300 }, (_, number) => rig.write(`file-${number}`));
  const endMs = performance.now() + outageMs;
  await until(() => performance.now() > endMs, 'the outage has lasted');
  assert.equal(localHashes(rig.source).size, 300);
  assert.ok(outage.hits() > 0);
  // Sixteen in flight, a hundred retries from the budget, then single probes.
  assert.ok(outage.hits() <= 180, `${outage.hits()} requests in ${outageMs} ms of outage`);
  assert.equal(mover.snapshot().store?.ok, false);
  outage.remove();
  await until(() => mover.snapshot().total.freed.files === 300, 'everything is moved and freed', 60_000);
  assertExactly(rig.server, hashes);
  assert.equal(mover.snapshot().store?.ok, true);
}
