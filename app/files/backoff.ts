// Files that fail wait one by one, each longer each time, so that a bad file costs little and blocks nobody.
import { backoffMs } from '../core/retry.ts';

/** Why a file waits, and until when. */
export interface Failing {
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  readonly nextMs: number;
}

export interface Backoff {
  failed(path: string, reason: string, message: string, nowMs: number): void;
  /** Forgets a file that succeeded or vanished. */
  clear(path: string): void;
  mayTry(path: string, nowMs: number): boolean;
  knows(path: string): boolean;
  /** Files failing now, by reason. */
  byReason(): ReadonlyMap<string, number>;
  /** One failing file of a reason, for a sentence. */
  example(reason: string): { readonly path: string; readonly message: string } | undefined;
  /** The failing file, if it is one. */
  get(path: string): Failing | undefined;
  /** All failing files that are remembered. */
  paths(): Iterable<string>;
  readonly size: number;
  /** Starts a new pass: files that the pass does not meet again are gone. */
  beginPass(): void;
  met(path: string): void;
  endPass(): void;
}

/** With more failing files than are remembered, the rest is tried in rounds this far apart. */
const CROWDED_PAUSE_MS = 60_000;
const POLICY = { baseMs: 1_000, capMs: 300_000 };

export function createBackoff(random: () => number = Math.random, capacity = 10_000): Backoff {
  interface Entry {
    reason: string;
    message: string;
    attempts: number;
    nextMs: number;
    met: boolean;
  }
  const entries = new Map<string, Entry>();
  let crowdedNextMs = 0;
  // Ten tries a second are enough for all failing files together: each may be a request that is paid for.
  const capMs = (): number => Math.max(POLICY.capMs, entries.size * 100);
  return {
    failed(path, reason, message, nowMs) {
      const attempts = (entries.get(path)?.attempts ?? 0) + 1;
      // Half to full: a file that always fails must not come back at once by chance.
      const ceilingMs = backoffMs(attempts, { ...POLICY, capMs: capMs() }, () => 1);
      const nextMs = nowMs + ceilingMs * (0.5 + random() / 2);
      if (entries.has(path) || entries.size < capacity) {
        entries.set(path, { reason, message, attempts, nextMs, met: true });
      } else if (nowMs >= crowdedNextMs) crowdedNextMs = nowMs + CROWDED_PAUSE_MS;
    },
    clear: (path) => void entries.delete(path),
    mayTry(path, nowMs) {
      // A file there was no room for waits with the others.
      const nextMs = entries.get(path)?.nextMs ?? (entries.size >= capacity ? crowdedNextMs : 0);
      // A clock that was set back must not stretch the pause.
      return nextMs <= nowMs || nextMs - nowMs > capMs();
    },
    knows: (path) => entries.has(path),
    byReason() {
      const counts = new Map<string, number>();
      for (const { reason } of entries.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      return counts;
    },
    example(reason) {
      for (const [path, entry] of entries)
        if (entry.reason === reason) return { path, message: entry.message };
      return undefined;
    },
    get: (path) => entries.get(path),
    paths: () => entries.keys(),
    get size() {
      return entries.size;
    },
    beginPass() {
      for (const entry of entries.values()) entry.met = false;
    },
    met(path) {
      const entry = entries.get(path);
      if (entry) entry.met = true;
    },
    endPass() {
      for (const [path, entry] of entries) if (!entry.met) entries.delete(path);
    },
  };
}
