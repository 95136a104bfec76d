// A file is complete when it stood still long enough, whatever its writer does; never before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '../../app/core/log.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createCounters } from '../../app/files/counters.ts';
import { type FinderPorts, standingOf } from '../../app/files/finder.ts';
import { openLedger } from '../../app/files/ledger/ledger.ts';
import { createQueue } from '../../app/files/queue.ts';
import { arrivedMs, createSettling, sameStat, settledAtMs } from '../../app/files/settle.ts';
import type { FileStat, FoundFile } from '../../app/files/walk.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

const SETTLE_MS = 5_000;
const ledger = openLedger({ directory: undefined, source: '/source', store: 'store' });

/** A file and its writer, as the kernel keeps its times: every change moves ctime to now, mtime may be anything. */
function createWriter(clock: FakeClock) {
  let stat: FileStat = { size: 0, mtimeMs: clock.now(), ctimeMs: clock.now(), ino: 1 };
  let runMs = 0;
  let changedAtRunMs = 0;
  const change = (next: Partial<FileStat>): void => {
    stat = { ...stat, ...next, ctimeMs: clock.now() };
    changedAtRunMs = runMs;
  };
  return {
    get stat() {
      return stat;
    },
    /** Real time since the last change, whatever the wall clock was set to meanwhile. */
    get stillMs() {
      return runMs - changedAtRunMs;
    },
    async pass(ms: number) {
      runMs += ms;
      await clock.advance(ms);
    },
    write: (bytes: number) => change({ size: stat.size + bytes, mtimeMs: clock.now() }),
    utime: (mtimeMs: number) => change({ mtimeMs }),
    renameOver: (mtimeMs: number) => change({ ino: stat.ino + 1, mtimeMs }),
  };
}

const PASS_MS = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 4_000, max: 12_000 }));
const EVENT = fc.oneof(
  fc.record({ what: fc.constant('write' as const), bytes: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ what: fc.constant('pause' as const), ms: PASS_MS }),
  fc.record({ what: fc.constant('pause' as const), ms: PASS_MS }),
  fc.record({ what: fc.constant('look' as const) }),
  fc.record({ what: fc.constant('second look' as const) }),
  fc.record({ what: fc.constant('rename' as const), offsetMs: fc.integer({ min: -1e8, max: 1e8 }) }),
  fc.record({ what: fc.constant('utime' as const), offsetMs: fc.integer({ min: -1e8, max: 1e8 }) }),
  fc.record({ what: fc.constant('clock set back' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
);

/** The finder's first look and the mover's second one; both answer whether the file was called complete. */
function createLooker(clock: FakeClock, writer: { readonly stat: FileStat }) {
  const settling = createSettling(SETTLE_MS);
  const ports: FinderPorts = {
    root: '/source',
    clock,
    log: silentLog,
    ledger,
    queue: createQueue(),
    settling,
    backoff: createBackoff(),
    counters: createCounters(),
    settleMs: SETTLE_MS,
  };
  const now = (): FoundFile => ({ path: 'a', stat: writer.stat });
  return {
    settling,
    look: () => standingOf(ports, now(), clock.now()).standing === 'ready',
    lookAgain(): boolean {
      const [due] = settling.due(clock.now());
      if (!due) return false;
      if (sameStat(due.stat, writer.stat)) return true;
      settling.watch(now(), clock.now());
      return false;
    },
  };
}

test('in 1,000 histories of writes, pauses, renames and times set: complete only after the settle time', async () => {
  let completions = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(EVENT, { minLength: 5, maxLength: 40 }), async (events) => {
      const clock = createFakeClock();
      const writer = createWriter(clock);
      const looker = createLooker(clock, writer);
      const check = (complete: boolean): void => {
        if (!complete) return;
        completions += 1;
        assert.ok(writer.stillMs >= SETTLE_MS, `called complete ${writer.stillMs} ms after a change`);
      };
      for (const event of events) {
        if (event.what === 'write') writer.write(event.bytes);
        else if (event.what === 'pause') await writer.pass(event.ms);
        else if (event.what === 'look') check(looker.look());
        else if (event.what === 'second look') check(looker.lookAgain());
        else if (event.what === 'rename') writer.renameOver(clock.now() + event.offsetMs);
        else if (event.what === 'utime') writer.utime(clock.now() + event.offsetMs);
        else clock.set(clock.now() - event.ms);
      }
      // Once the writer stops, the file is complete after one settle time and one look more, whatever its times say.
      looker.look();
      await writer.pass(SETTLE_MS);
      const complete = looker.lookAgain() || looker.look();
      if (!complete) {
        await writer.pass(SETTLE_MS);
        assert.ok(looker.lookAgain() || looker.look(), 'never called complete');
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(completions > 100, `only ${completions} files were called complete`);
});

test('a file last touched long ago is due at once, one from the future after a whole settle time from now', () => {
  const stat = (mtimeMs: number, ctimeMs = mtimeMs): FileStat => ({ size: 1, mtimeMs, ctimeMs, ino: 1 });
  assert.ok(settledAtMs(stat(0), 1e6, SETTLE_MS) <= 1e6);
  assert.equal(settledAtMs(stat(9e9), 1e6, SETTLE_MS), 1e6 + SETTLE_MS);
  assert.equal(settledAtMs(stat(0, 9e5), 1e6, SETTLE_MS), 9e5 + SETTLE_MS, 'a copy that kept its time');
  assert.equal(arrivedMs(stat(5, 7)), 7);
});

test('a change of size, mtime, ctime or inode alone is a change', () => {
  const stat: FileStat = { size: 1, mtimeMs: 2, ctimeMs: 3, ino: 4 };
  assert.equal(sameStat(stat, { ...stat }), true);
  for (const name of ['size', 'mtimeMs', 'ctimeMs', 'ino'] as const)
    assert.equal(sameStat(stat, { ...stat, [name]: 9 }), false, name);
});

test('what does not fit is refused, not dropped, and what is watched keeps its place', () => {
  const settling = createSettling(SETTLE_MS, 10);
  const young = (path: string, size = 1): FoundFile => ({
    path,
    stat: { size, mtimeMs: 1_000, ctimeMs: 1_000, ino: 1 },
  });
  for (let index = 0; index < 10; index += 1) assert.equal(settling.watch(young(String(index)), 1_000), true);
  assert.equal(settling.watch(young('one more'), 1_000), false);
  assert.equal(settling.watch(young('3', 2), 1_500), true, 'a watched file that changed');
  assert.equal(settling.size, 10);
  settling.drop('4');
  assert.equal(settling.watch(young('one more'), 1_000), true);
  assert.equal(settling.due(1_000 + SETTLE_MS).length, 10);
  assert.equal(settling.nextDueMs(), undefined);
});

test('watched files come due in their own time, each once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 50 }),
      (arrivals) => {
        const settling = createSettling(SETTLE_MS);
        arrivals.forEach((ms, index) => {
          const stat = { size: 1, mtimeMs: ms, ctimeMs: ms, ino: index };
          settling.watch({ path: String(index), stat }, 20_000);
        });
        assert.equal(settling.oldestArrivalMs(), Math.min(...arrivals));
        const seen = new Set<string>();
        while (settling.size > 0) {
          const nextMs = settling.nextDueMs() ?? Number.NaN;
          assert.deepEqual(settling.due(nextMs - 1), []);
          const due = settling.due(nextMs);
          assert.ok(due.length > 0);
          for (const { path, stat } of due) {
            assert.equal(stat.mtimeMs + SETTLE_MS, nextMs);
            assert.equal(seen.has(path), false);
            seen.add(path);
          }
        }
        assert.equal(seen.size, arrivals.length);
      },
    ),
  );
});
