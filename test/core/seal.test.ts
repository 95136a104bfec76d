// The commit protocol for sets, over every store: one winner for each revision, and nothing visible that is not whole.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { latestSeal, putMember, type SealOutcome, seal, sealKey } from '../../app/core/seal.ts';
import type { Store } from '../../app/core/store.ts';
import { Died, mortal, type OpenedStore, objectsBelow, openFolder, portsOf, STORES } from './workers.ts';

const SET = 'type=charge/day=2026-11-20/';
const sha256 = (body: Buffer) => hash('sha256', body, 'hex');

/** Writes the parts, then the seal, as a mover does. */
async function commit(store: Store, set: string, contents: readonly string[], revision: number) {
  const ports = portsOf(store);
  const members = [];
  for (const [index, content] of contents.entries())
    members.push(await putMember(ports, set, `part-0000${index}.txt`, Buffer.from(content)));
  const facts = { parts: String(contents.length), sha256: sha256(Buffer.from(contents.join('\n'))) };
  const draft = { set, revision, members, facts };
  return { outcome: await seal(ports, draft), draft };
}

/** What workers agree and disagree on: contents of few kinds, so that they collide. */
const CONTENTS = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
const WORKER = fc.record({
  contents: CONTENTS,
  death: fc.option(fc.record({ atCall: fc.integer({ min: 1, max: 12 }), after: fc.boolean() }), {
    nil: undefined,
  }),
});

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: of any workers, dying anywhere, one at most seals a revision, and what it sealed is whole`, async () => {
    const { store, content, close } = await open();
    let round = 0;
    try {
      const property = fc.asyncProperty(
        fc.scheduler(),
        fc.array(WORKER, { minLength: 1, maxLength: 4 }),
        async (scheduler, workers) => {
          round += 1;
          const set = `round=${round}/`;
          const runs = workers.map(({ contents, death }) =>
            commit(mortal(store, scheduler, death), set, contents, 1),
          );
          const settled = Promise.allSettled(runs);
          await scheduler.waitFor(settled);
          const results = await settled;
          for (const result of results)
            if (result.status === 'rejected') assert.ok(result.reason instanceof Died, String(result.reason));
          const finished = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
          const outcomes: SealOutcome[] = finished.map(({ outcome }) => outcome);
          assert.ok(outcomes.filter((outcome) => outcome === 'sealed').length <= 1);

          const objects = await objectsBelow(store, set);
          const sealed = latestSeal(set, objects, store.etagIsMd5);
          if (finished.length > 0) assert.ok(sealed, 'somebody finished and nothing is sealed');
          if (!sealed) return;
          const visible = sealedContents(content, set, sealed.seal.key);
          const winner = workers.find(({ contents }) => contents.join() === visible.join());
          assert.ok(winner, "what is sealed is no worker's");
          if (sealed.facts) assert.equal(sealed.facts.sha256, sha256(Buffer.from(visible.join('\n'))));
          else assert.equal(store.etagIsMd5, false, 'facts unknown though ETags tell');
        },
      );
      await fc.assert(property, { numRuns: 40 });
    } finally {
      await close();
    }
  });

  test(`${name}: a worker that was thought dead finds itself outrun, and its parts are in no seal`, async () => {
    const { store, content, close } = await open();
    try {
      assert.equal((await commit(store, SET, ['new'], 1)).outcome, 'sealed');
      const late = await commit(store, SET, ['old'], 1);
      assert.equal(late.outcome, 'outrun');
      assert.match(late.draft.members[0]?.key ?? '', /^part-00000~[0-9a-f]{32}\.txt$/);
      assert.deepEqual(sealedContents(content, SET, sealKey(SET, 1)), ['new']);
      assert.equal((await commit(store, SET, ['old'], 2)).outcome, 'sealed');
      assert.deepEqual(sealedContents(content, SET, sealKey(SET, 2)), ['old']);
      assert.deepEqual(sealedContents(content, SET, sealKey(SET, 1)), ['new'], 'the earlier revision stays');
      assert.equal(latestSeal(SET, await objectsBelow(store, SET), store.etagIsMd5)?.revision, 2);
    } finally {
      await close();
    }
  });

  test(`${name}: the same work done again writes nothing anew`, async () => {
    const { store, close } = await open();
    try {
      await commit(store, SET, ['a', 'b'], 1);
      const before = await objectsBelow(store, SET);
      const again = await commit(store, SET, ['a', 'b'], 1);
      const tellable = store.etagIsMd5 || store.mayRead;
      assert.equal(again.outcome, tellable ? 'same' : 'outrun');
      if (tellable) assert.deepEqual(await objectsBelow(store, SET), before);
    } finally {
      await close();
    }
  });
}

/** The contents a seal lists, each read and held against its size and checksum. */
function sealedContents(content: OpenedStore['content'], set: string, key: string): string[] {
  const seal: unknown = JSON.parse(content(key).toString());
  assert.ok(seal instanceof Object && 'members' in seal && Array.isArray(seal.members));
  return seal.members.map((member: { key: string; sizeBytes: number; sha256: string }) => {
    const body = content(set + member.key);
    assert.deepEqual([body.length, sha256(body)], [member.sizeBytes, member.sha256]);
    return body.toString();
  });
}

test('an empty set is sealed too, and is not the same as a set without a seal', async () => {
  const { store, close } = await openFolder();
  try {
    assert.equal(latestSeal(SET, await objectsBelow(store, SET), true), undefined);
    assert.equal((await commit(store, SET, [], 1)).outcome, 'sealed');
    assert.equal(latestSeal(SET, await objectsBelow(store, SET), true)?.facts?.parts, '0');
  } finally {
    await close();
  }
});

test('a fact that a key cannot hold is refused before anything is written', async () => {
  const { store, close } = await openFolder();
  try {
    const draft = { set: SET, revision: 1, members: [], facts: { name: 'a/b' } };
    await assert.rejects(seal(portsOf(store), draft), RangeError);
    assert.deepEqual(await objectsBelow(store, SET), []);
  } finally {
    await close();
  }
});
