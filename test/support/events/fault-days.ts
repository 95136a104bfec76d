// A day of many pages from an API at its worst, seed after seed: 502s, resets, cut-off bodies, waits asked for, slow and
// short pages, a cursor that expires, documents that change, come and go between two pages.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Doc, docsOf } from './api.ts';
import { createEventsRig, readDay } from './rig.ts';

const DAY = '2026-11-20';
const LIMIT = 10;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function faultDays(
  t: TestContext,
  { seeds, pages }: { seeds: number; pages: number },
): Promise<void> {
  let requests = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rig = await createEventsRig(t);
    const random = seeded(seed);
    const stable = docsOf('charge', DAY, pages * LIMIT);
    const docs: Doc[] = [...stable];
    rig.api.docs.set(`charge/${DAY}`, docs);
    let expired = false;
    rig.api.before = async () => {
      if (random() < 0.01) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    rig.api.fault = ({ cursor, limit }) => {
      changeSomething(docs, stable.length, random);
      const dice = random();
      if (dice < 0.28) return { status: 502 };
      if (dice < 0.29) return { status: 502, retryAfter: '2' };
      if (dice < 0.3) return { status: 503, retryAfter: new Date(rig.clock.now() + 5_000).toUTCString() };
      if (dice < 0.35) return 'reset';
      if (dice < 0.37) return 'truncate';
      if (dice < 0.375 && cursor !== undefined && !expired) {
        expired = true;
        return { status: 410 };
      }
      if (dice > 0.95) {
        // A page with fewer records than asked for, and more to come.
        const from = docs.findIndex((doc) => cursor === undefined || doc.id > cursor);
        const few = from < 0 ? [] : docs.slice(from, from + Math.ceil(limit / 3));
        const last = few.at(-1);
        return { body: { data: few, next_cursor: last && last !== docs.at(-1) ? last.id : null } };
      }
      return undefined;
    };
    const settings = rig.settings(`events: [charge]\nread_batch_size: ${LIMIT}\nwrite_batch_size: 3000`);
    const ending = await rig.run({ wanted: { day: DAY }, settings, level: 'error' });
    assert.equal(ending.exit, 'ok', `seed ${seed}: ${JSON.stringify(ending.failed)}`);
    const found = (readDay(rig.data, 'charge', DAY)?.docs ?? []).map(({ id }) => id);
    const ids = new Set(found);
    assert.equal(ids.size, found.length, `seed ${seed}: ${found.length - ids.size} twice`);
    const lost = stable.filter(({ id }) => !ids.has(id)).length;
    assert.equal(lost, 0, `seed ${seed}: ${lost} lost`);
    requests += rig.api.asked.length;
  }
  t.diagnostic(`${seeds} seeds, ${pages} pages a day, ${requests} requests, 0 lost, 0 twice`);
}

/** Some document gets other content, one that was never counted comes, or goes. */
function changeSomething(docs: Doc[], stable: number, random: () => number): void {
  const dice = random();
  if (dice < 0.1) {
    const index = Math.floor(random() * docs.length);
    const doc = docs[index];
    if (doc) docs[index] = { ...doc, amount: -1 };
  } else if (dice < 0.12) {
    const after = docs[Math.floor(random() * stable)];
    if (!after) return;
    const index = docs.indexOf(after);
    const id = `${after.id}+`;
    if (docs[index + 1]?.id === id) docs.splice(index + 1, 1);
    else docs.splice(index + 1, 0, { ...after, id });
  }
}
