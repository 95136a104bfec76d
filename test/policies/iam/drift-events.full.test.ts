// What the events mover asks of S3, taken from the wire, and what its own role may do are one set.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type CallMade, driftOf } from '../../../policies/iam/drift.ts';
import { readRole } from '../../../policies/iam/reach.ts';
import { docsOf } from '../../support/events/api.ts';
import { createBucketRig } from '../../support/events/rig.ts';
import { eventsRoleOf, FULL, PLAIN, roleOf, targetWith } from '../program.ts';

const PREFIX = 'events';
const DAY = '2026-11-20';
/** More than fits into one PUT, however it is packed. */
const LARGE_BYTES = 10 * 2 ** 20;

/** A small day, the same day again, one in parts of an upload, and one whose key somebody else has taken. */
async function everyCall(t: TestContext): Promise<CallMade[]> {
  const { rig, server, env, bucket } = await createBucketRig(t, ['read', 'delete']);
  const run = (types: string) =>
    rig.run({
      settings: rig.settings(`events: [${types}]\ns3_key: ${PREFIX}\n${bucket}`),
      wanted: { day: DAY },
      env,
    });
  const [small] = docsOf('charge', DAY, 1);
  assert.ok(small);
  const large = { ...small, noise: randomBytes(LARGE_BYTES).toString('base64') };
  rig.api.docs.set(`charge/${DAY}`, docsOf('charge', DAY, 30));
  rig.api.docs.set(`refund/${DAY}`, [large]);
  rig.api.docs.set(`dispute/${DAY}`, [large]);
  server.place(`${PREFIX}/type=dispute/day=${DAY}/part-00000.ndjson.gz`, Buffer.from('somebody else'));
  assert.equal((await run('charge')).exit, 'ok');
  assert.equal((await run('charge')).exit, 'ok');
  assert.equal((await run('refund')).exit, 'ok');
  await run('dispute');
  return server.requests.map(({ op, key, prefix }) => ({ operation: op, key, prefix }));
}

test('every call of the events mover is granted to its role and no other, and every grant is used by a call', async (t) => {
  const calls = await everyCall(t);
  for (const role of [eventsRoleOf(await targetWith(PLAIN)), eventsRoleOf(await targetWith(FULL))])
    assert.deepEqual(driftOf(readRole(role), calls), { refused: [], unused: [] });
  const { refused } = driftOf(readRole(roleOf(await targetWith(PLAIN))), calls);
  assert.ok(
    refused.some((each) => each.startsWith('PutObject needs s3:PutObject')),
    String(refused),
  );
});
