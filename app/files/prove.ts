// Proving: what was sent must appear in a listing made afterwards, with the size and ETag its content gave.
import type { Ledger, LedgerRow } from './ledger/ledger.ts';
import { type MergePorts, openCursor } from './merge.ts';

export interface ProvePorts extends MergePorts {
  readonly ledger: Ledger;
  readonly onProved: (row: LedgerRow) => void;
  /** A complete listing does not show the object, or shows another size: the row is forgotten, the file is sent again. */
  readonly onMissing: (row: LedgerRow) => void;
  /**
   * The object is there with the right size and another ETag: it may have been replaced, or the store names ETags as it
   * likes. Unknown is no proof, and sending again would make another such object: the row stays unproved.
   */
  readonly onDoubtful: (row: LedgerRow) => void;
}

const ROWS_AT_ONCE = 4_000;

/**
 * One pass over everything unproved, in key order. Rejects with StoreError when a listing cannot be had or trusted;
 * what was not reached then stays unproved.
 */
export async function proveOnce(ports: ProvePorts): Promise<void> {
  const { ledger, signal } = ports;
  let afterKey = '';
  while (!signal.aborted) {
    const rows = ledger.unproved(afterKey, ROWS_AT_ONCE);
    const last = rows.at(-1);
    if (last === undefined) return;
    // A new cursor for each batch: its pages are younger than every row of the batch.
    const cursor = openCursor(ports);
    for (const row of rows) {
      const found = cursor.find(row.key);
      const object = found instanceof Promise ? await found : found;
      if (!ledger.stands(row)) continue;
      const sameSize = object?.sizeBytes === row.stat.size;
      if (sameSize && object.etag === row.etag) {
        ledger.remember({ ...row, proved: true }, row);
        ports.onProved(row);
      } else if (sameSize) ports.onDoubtful(row);
      else {
        ledger.forget(row);
        ports.onMissing(row);
      }
    }
    ledger.commit();
    afterKey = last.key;
  }
}
