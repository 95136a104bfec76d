import { test } from 'node:test';
import { faultDays } from '../support/events/fault-days.ts';

test('an API at its worst, 1,000 pages a day, 100 seeds: nothing lost, nothing twice', async (t) => {
  await faultDays(t, { seeds: 100, pages: 1_000 });
});
