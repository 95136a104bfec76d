// What `ferry events` asks of S3, taken from the wire, and what its role may do are one set: a backfill with claims, a part
// too large for one PUT, a day that changed, whose part finds its key taken.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { driftOf } from '../../../policies/iam/drift.ts';
import { readRole } from '../../../policies/iam/reach.ts';
import { ferry } from '../../support/cli.ts';
import { API_KEY, type Doc } from '../../support/events/api.ts';
import { createEventsRig } from '../../support/events/rig.ts';
import { startS3Server } from '../../support/s3/server.ts';
import { eventsRoleOf, FULL, PLAIN, targetWith } from '../program.ts';

const DAY = '2026-01-05';

/** Too random to become small: 12 MB stay 9. */
const largeDay = (): Doc[] =>
  Array.from({ length: 100 }, (_, index) => ({
    id: `charge_${String(index).padStart(3, '0')}`,
    noise: randomBytes(90_000).toString('base64'),
  }));

test('every call that events make is granted, and every grant is used by a call', async (t) => {
  const server = await startS3Server({ deny: ['read', 'delete'] });
  t.after(() => server.close());
  const rig = await createEventsRig(t);
  const config = join(rig.directory, 'events.yaml');
  const s3 = `s3_bucket: ${server.bucket}\ns3_key: events\ns3: { endpoint: ${server.endpoint}, path_style: true }`;
  writeFileSync(config, `url: ${rig.api.url}\n${s3}\nevents: [charge]\n`);
  const env = {
    API_KEY,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  };
  const run = async (...words: string[]) => {
    const { exit, stdout, stderr } = await ferry(['events', ...words], { cwd: rig.directory, env });
    assert.equal(exit, 0, stdout + stderr);
    return stdout;
  };
  rig.api.docs.set(`charge/${DAY}`, largeDay());
  await run('backfill', '--config', config, '--from', DAY, '--to', DAY);
  rig.api.docs.set(`charge/${DAY}`, largeDay());
  assert.match(await run('--config', config, '--day', DAY), /1 revised/);
  await run('status', '--config', config, '--from', DAY, '--to', DAY);
  const calls = server.requests.map(({ op, key, prefix }) => ({ operation: op, key, prefix }));
  const kinds = new Set<string>(calls.map(({ operation }) => operation));
  for (const kind of ['PutObject', 'CompleteMultipartUpload', 'AbortMultipartUpload', 'ListObjectsV2'])
    assert.ok(kinds.has(kind), `${kind} was never called`);
  for (const variant of [PLAIN, FULL]) {
    const role = readRole(eventsRoleOf(await targetWith(variant)));
    assert.deepEqual(driftOf(role, calls), { refused: [], unused: [] });
  }
});
