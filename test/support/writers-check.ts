// The balance after writers of all kinds: nothing half-written, nothing lost, nothing twice.
import assert from 'node:assert/strict';
import type { Mover } from '../../app/files/mover.ts';
import { objectsByContent, type Rig } from './mover-rig.ts';
import { until } from './temp.ts';
import type { Written } from './writers.ts';

/** Waits until every finished content is an object and everything local is freed; then counts. */
export async function assertWritersMoved(rig: Rig, mover: Mover, written: readonly Written[]): Promise<void> {
  const complete = written.flatMap((file) => file.complete);
  await until(
    () => {
      const stored = objectsByContent(rig.server);
      return complete.every((hash) => stored.has(hash));
    },
    'every finished file is in the bucket',
    60_000,
  );
  await until(
    () => {
      const { backlog, settling, unproved, retained, failing } = mover.snapshot();
      return backlog.files + settling + unproved.files + retained.files + failing.size === 0;
    },
    'nothing waits any more',
    60_000,
  );
  const stored = objectsByContent(rig.server);
  const allowed = new Set(written.flatMap((file) => file.allowed));
  const half = [...stored.keys()].filter((hash) => !allowed.has(hash)).length;
  const twice = [...stored.values()].filter((count) => count !== 1).length;
  const overwritten = [...rig.server.objects.values()].filter(({ puts }) => puts !== 1).length;
  assert.deepEqual({ half, twice, overwritten }, { half: 0, twice: 0, overwritten: 0 });
}
