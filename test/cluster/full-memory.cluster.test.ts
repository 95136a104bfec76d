// A volume in memory that is full.
import { test } from 'node:test';
import { FAST_WRITER, fillsAndLives, LITTLE } from './full.ts';
import { createSite } from './site.ts';

test('a full volume in memory is an error to the writer; the pod lives, and nothing is lost', async (t) => {
  const values = { ...LITTLE, volume: 'memory' };
  const site = await createSite(t, { values, patch: FAST_WRITER, apply: false });
  if (site !== undefined) await fillsAndLives(t, site);
});
