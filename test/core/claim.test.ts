// Claims: one holder at a time while clocks agree, free again after a lease, and no reading or overwriting for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Claim, claimState, createClaims } from '../../app/core/claim.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { Died, mortal, objectsBelow, openFolder, portsOf, STORES } from './workers.ts';

const WORK = '_claims/type=charge/day=2026-11-20/';
const LEASE_MS = 60_000;

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: of any workers at once one at most holds a piece of work, wherever others die`, async () => {
    const { store, close } = await open();
    let round = 0;
    try {
      const deaths = fc.option(fc.record({ atCall: fc.integer({ min: 1, max: 4 }), after: fc.boolean() }), {
        nil: undefined,
      });
      const property = fc.asyncProperty(
        fc.scheduler(),
        fc.array(deaths, { minLength: 1, maxLength: 5 }),
        async (scheduler, workers) => {
          round += 1;
          const work = `_claims/round=${round}/`;
          const clock = createFakeClock();
          const takes = workers.map((death) =>
            createClaims(portsOf(mortal(store, scheduler, death), clock), LEASE_MS).take(work),
          );
          const settled = Promise.allSettled(takes);
          await scheduler.waitFor(settled);
          const results = await settled;
          const held = results.filter((result) => result.status === 'fulfilled' && 'claim' in result.value);
          assert.ok(held.length <= 1, `${held.length} workers hold it`);
          for (const result of results)
            if (result.status === 'rejected') assert.ok(result.reason instanceof Died, String(result.reason));
          const all = workers.every((death) => death === undefined);
          if (all) assert.equal(held.length, 1, 'nobody died and nobody holds it');

          // Whatever happened, a lease later it can be had, by exactly one.
          const later = createClaims(portsOf(store, clock), LEASE_MS);
          await later.take(work);
          await clock.advance(2 * LEASE_MS);
          const answer = await later.take(work);
          assert.ok('claim' in answer, 'stuck for ever');
        },
      );
      await fc.assert(property, { numRuns: 25 });
    } finally {
      await close();
    }
  });
}

test('a claim holds as long as it is renewed, is told to others with its end, and is free when released', async () => {
  const { store, close } = await openFolder();
  try {
    const clock = createFakeClock();
    const mine = createClaims(portsOf(store, clock), LEASE_MS);
    const theirs = createClaims(portsOf(store, clock), LEASE_MS);
    const first = await mine.take(WORK);
    assert.ok('claim' in first);
    const startMs = clock.now();
    assert.deepEqual(await theirs.take(WORK), { heldUntilMs: startMs + LEASE_MS });
    await clock.advance(LEASE_MS - 1);
    await first.claim.renew();
    await clock.advance(LEASE_MS - 1);
    assert.ok('heldUntilMs' in (await theirs.take(WORK)), 'a renewed claim was taken away');
    await first.claim.release();
    const next = await theirs.take(WORK);
    assert.equal('claim' in next && next.claim.epoch, 2);
  } finally {
    await close();
  }
});

test('a claim that is not renewed is lost after its lease, to the next epoch', async () => {
  const { store, close } = await openFolder();
  try {
    const clock = createFakeClock();
    const claims: Claim[] = [];
    for (let epoch = 1; epoch <= 3; epoch += 1) {
      const answer = await createClaims(portsOf(store, clock), LEASE_MS).take(WORK);
      assert.ok('claim' in answer);
      claims.push(answer.claim);
      await clock.advance(LEASE_MS);
    }
    assert.deepEqual(
      claims.map(({ epoch }) => epoch),
      [1, 2, 3],
    );
    assert.equal((await objectsBelow(store, WORK)).length, 6);
  } finally {
    await close();
  }
});

test('keys that are no claims, and epochs of long ago, do not count', () => {
  const keys = ['claim-00001,until=5', 'claim-00002', 'claim-00001,released', 'claim-x', 'other/claim-00009'];
  assert.deepEqual(
    claimState(
      'w/',
      keys.map((key) => `w/${key}`),
    ),
    { epoch: 2, untilMs: undefined, released: false },
  );
});
