// A ledger that is found damaged while it works is set aside and begun anew under everybody's hands: it is a cache, and
// the walk and the bucket give back what it knew.

import { isDamaged } from './database.ts';
import type { Ledger } from './ledger.ts';

/** `open` opens the file as it is; `setAside` moves the damaged one away, so that the next `open` begins a new one. */
export function renewable(open: () => Ledger, setAside: (error: unknown) => void): Ledger {
  let current = open();
  let renewed = false;

  const renew = (error: unknown): void => {
    try {
      current.close();
    } catch {
      // What could not be written is lost with the rest.
    }
    setAside(error);
    current = open();
    renewed = true;
  };
  /** Runs `act` on the ledger there is; on a new one if that is damaged. */
  const on = <T>(act: (ledger: Ledger) => T): T => {
    try {
      return act(current);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      renew(error);
      return act(current);
    }
  };
  /** The same where a new ledger cannot go on with what the old one had begun: the caller must begin anew. */
  const orFail = <T>(act: (ledger: Ledger) => T): T => {
    try {
      return act(current);
    } catch (error) {
      if (isDamaged(error)) renew(error);
      throw error;
    }
  };

  return {
    get reconciled() {
      return current.reconciled;
    },
    set reconciled(value) {
      on((ledger) => {
        ledger.reconciled = value;
      });
    },
    get etagIsMd5() {
      return current.etagIsMd5;
    },
    set etagIsMd5(value) {
      on((ledger) => {
        ledger.etagIsMd5 = value;
      });
    },
    get: (path) => on((ledger) => ledger.get(path)),
    stands: (row) => on((ledger) => ledger.stands(row)),
    knows: (path, stat) => on((ledger) => ledger.knows(path, stat)),
    knowsInPathOrder() {
      let made = current;
      let knows = current.knowsInPathOrder();
      return (path, stat) =>
        on((ledger) => {
          if (ledger !== made) {
            made = ledger;
            knows = ledger.knowsInPathOrder();
          }
          return knows(path, stat);
        });
    },
    warmUp: () => on((ledger) => ledger.warmUp()),
    get isWarm() {
      return current.isWarm;
    },
    // A new ledger has no row to replace, whatever the caller remembers of the old one.
    remember: (row, previous) =>
      current.remember(row, renewed && previous ? on((ledger) => ledger.get(previous.path)) : previous),
    forget(previous) {
      const row = renewed ? on((ledger) => ledger.get(previous.path)) : previous;
      if (row) current.forget(row);
    },
    unproved: (afterKey, limit) => on((ledger) => ledger.unproved(afterKey, limit)),
    proved: (upToMs, after, limit) => on((ledger) => ledger.proved(upToMs, after, limit)),
    unprovedInMemory: () => on((ledger) => ledger.unprovedInMemory()),
    newest: (query) => on((ledger) => ledger.newest(query)),
    due: (upToMs, max) => on((ledger) => ledger.due(upToMs, max)),
    get totals() {
      return current.totals;
    },
    candidates: {
      clear: () => on((ledger) => ledger.candidates.clear()),
      add: (candidates) => orFail((ledger) => ledger.candidates.add(candidates)),
      after: (key, path, limit) => orFail((ledger) => ledger.candidates.after(key, path, limit)),
    },
    uploads: {
      get: (path, key, stat) => on((ledger) => ledger.uploads.get(path, key, stat)),
      set: (path, key, stat, state) => on((ledger) => ledger.uploads.set(path, key, stat, state)),
      delete: (path) => on((ledger) => ledger.uploads.delete(path)),
    },
    commit: () => on((ledger) => ledger.commit()),
    get uncommitted() {
      return current.uncommitted;
    },
    close() {
      try {
        current.close();
      } catch (error) {
        if (!isDamaged(error)) throw error;
        setAside(error);
      }
    },
  };
}
