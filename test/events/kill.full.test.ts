import { test } from 'node:test';
import { eventsKillRounds } from '../support/events/kill-rounds.ts';

test('ferry events: kill -9 at random instants, 100 rounds: nothing lost, nothing twice, little done again', async (t) => {
  await eventsKillRounds(t, 100);
});
