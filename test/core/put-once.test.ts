// A put where the key may be taken: what stands there is told apart, small or large, and an answer that was lost is no
// stranger's object.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putOnce } from '../../app/core/put-once.ts';
import { openS3Store } from '../../app/core/s3/store.ts';
import { startS3Server } from '../support/s3/server.ts';
import { bytes } from './store-samples.ts';
import { portsOf, STORES } from './workers.ts';

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: created, then the same; other content of another size or of the same is told apart where it can be`, async () => {
    const { store, close } = await open();
    try {
      const ports = portsOf(store);
      const tellable = store.etagIsMd5 || store.mayRead;
      for (const [key, body, other] of [
        ['small', Buffer.from('content'), Buffer.from('CONTENT')],
        ['empty', Buffer.alloc(0), Buffer.from('x')],
        ['large', bytes(9 * 2 ** 20, 1), bytes(9 * 2 ** 20, 2)],
      ] as const) {
        assert.equal(await putOnce(ports, key, body), 'created');
        const again = await putOnce(ports, key, body);
        // Without reading, an ETag that is no MD5 tells nothing; nor does the sum of a large object's parts.
        assert.ok(again === 'same' || (again === 'unknown' && !store.etagIsMd5), `${key}: ${again}`);
        if (tellable && key !== 'large') assert.equal(again, 'same', key);
        const taken = await putOnce(ports, key, other);
        assert.ok(taken === 'other' || (taken === 'unknown' && !store.etagIsMd5), `${key}: ${taken}`);
      }
      assert.equal(await putOnce(ports, 'small', Buffer.from('longer content')), 'other');
    } finally {
      await close();
    }
  });
}

test('an answer that was lost is found out by comparing: the object is our own', async () => {
  const server = await startS3Server({ deny: ['read'] });
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const store = await openS3Store({
    bucket,
    prefix: '',
    endpoint,
    region,
    pathStyle: true,
    credentials,
    env: {},
  });
  try {
    server.faults.add({ when: ({ op }) => op === 'PutObject', times: 1, do: { kind: 'lost-answer' } });
    assert.equal(await putOnce(portsOf(store), 'key', Buffer.from('mine')), 'same');
  } finally {
    await store.close();
    await server.close();
  }
});
