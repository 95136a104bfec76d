// The rows not yet proved, as long as they fit: proving then reads nothing from disk.
import { compareKeys } from '../../core/store.ts';
import type { BytePath } from '../paths.ts';
import type { LedgerRow } from './ledger.ts';

export interface UnprovedRows {
  /** All unproved rows are here only while this equals their number. */
  readonly size: number;
  get(path: BytePath): LedgerRow | undefined;
  /** Left out when there is no room. */
  set(row: LedgerRow): void;
  delete(path: BytePath): void;
  /** All that are here, in no order. */
  all(): LedgerRow[];
  /** In UTF-8 order of their keys, after a key. A pass begins with `''`; what comes later is not in that pass. */
  after(key: string, limit: number): LedgerRow[];
  /** The pass goes on elsewhere: should it come back, it meets what is here then. */
  left(): void;
}

const CAPACITY = 8_192;

export function createUnprovedRows(): UnprovedRows {
  const rows = new Map<BytePath, LedgerRow>();
  let inKeyOrder: LedgerRow[] | undefined;
  return {
    get size() {
      return rows.size;
    },
    get: (path) => rows.get(path),
    set(row) {
      if (rows.size < CAPACITY || rows.has(row.path)) rows.set(row.path, row);
    },
    delete: (path) => void rows.delete(path),
    all: () => [...rows.values()],
    after(key, limit) {
      if (key === '' || !inKeyOrder) {
        inKeyOrder = [...rows.values()].sort((a, b) => compareKeys(a.key, b.key));
      }
      const start = firstAfter(inKeyOrder, key);
      return inKeyOrder.slice(start, start + limit);
    },
    left() {
      inKeyOrder = undefined;
    },
  };
}

/** Where in rows of ascending keys the first one after `key` is. */
function firstAfter(rows: readonly LedgerRow[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(rows[middle]?.key ?? '', key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
