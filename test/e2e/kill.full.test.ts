// The same as the quick one, two hundred times.
import { test } from 'node:test';
import { killRounds } from '../support/kill-rounds.ts';

test('after 200 kills at random instants every completed file is in the bucket exactly once', async (t) => {
  await killRounds(t, { rounds: 200, loseStateEvery: 7 });
});
