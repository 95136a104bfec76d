import { test } from 'node:test';
import { faultDays } from '../support/events/fault-days.ts';

test('an API at its worst, 60 pages a day, 4 seeds: nothing lost, nothing twice', async (t) => {
  await faultDays(t, { seeds: 4, pages: 60 });
});
