// Receipts: each hour one object beside the data says what was proved and freed, so that a file's way can be told after
// it is gone here. Written only if absent, under a name made from its content: nothing is ever overwritten.
import { readFileSync } from 'node:fs';
import { StoreError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { putOnce } from '../../core/put-once.ts';
import type { Retrier } from '../../core/retry.ts';
import type { Store } from '../../core/store.ts';
import type { LedgerRow } from '../ledger/ledger.ts';
import type { BytePath } from '../paths.ts';
import { type FreedWhy, freedLine, type ProvedRow, provedLine, RECEIPTS_PREFIX } from './line.ts';
import { openSpool, type Ready } from './spool.ts';

export interface Receipts {
  sent(path: BytePath, atMs: number): void;
  proved(row: ProvedRow, atMs: number): void;
  freed(row: LedgerRow, why: FreedWhy, atMs: number): void;
  /** Before each commit of the ledger: what the ledger knows has its line on disk. Never throws. */
  flush(): void;
  /** Sends what is over to the bucket; `all` ends the hour at hand too. Rejects with StoreError. */
  publish(nowMs: number, all: boolean, retry: Retrier, signal: AbortSignal): Promise<void>;
}

/** Where no receipts are wanted. */
export const NO_RECEIPTS: Receipts = {
  sent() {},
  proved() {},
  freed() {},
  flush() {},
  publish: async () => {},
};

/** As many as are in the ledger's memory without a proof; of others the time of sending is not told. */
const SENT_KEPT = 8_192;

export function openReceipts(options: {
  readonly directory: string;
  readonly source: string;
  /** Whether the source is the spill volume: nothing there has a retention that could be over. */
  readonly spilled: boolean;
  readonly store: Store;
  readonly log: Log;
  /** Told after each object. */
  readonly onWritten: () => void;
  /** Told the lines lost so far. */
  readonly onLost: (lines: number) => void;
  /** Told when there is something to publish before its hour is over. */
  readonly onFull: () => void;
}): Receipts {
  const { store, log } = options;
  const spool = openSpool(options.directory, options.source, options.onFull);
  let publishing: Promise<void> = Promise.resolve();
  const sentAt = new Map<BytePath, number>();
  let toldLost = 0;

  const put = async ({ key, path }: Ready, retry: Retrier, signal: AbortSignal): Promise<void> => {
    const full = RECEIPTS_PREFIX + key;
    const standing = await putOnce({ store, retry, signal }, full, readFileSync(path));
    // `same`: a kill may have come between the answer and the note of it. Where ETags say nothing of content, the name does.
    if (standing === 'created' || standing === 'same') return;
    if (standing === 'unknown' && !store.etagIsMd5) return;
    throw new StoreError('conflict', `The receipt ${full} is there with other content than its name tells.`);
  };

  return {
    sent(path, atMs) {
      if (sentAt.size < SENT_KEPT || sentAt.has(path)) sentAt.set(path, atMs);
    },
    proved(row, atMs) {
      const sentAtMs = sentAt.get(row.path);
      if (sentAtMs !== undefined) sentAt.delete(row.path);
      spool.add(provedLine(row, atMs, sentAtMs), atMs);
    },
    freed(row, why, atMs) {
      spool.add(freedLine(row, options.spilled && why === 'retention' ? 'spill' : why, atMs), atMs);
    },
    flush() {
      spool.flush();
      if (spool.lost === toldLost) return;
      if (toldLost === 0)
        log.error(
          'lines of receipts are lost: the state directory is full or cannot be written; files move on',
        );
      toldLost = spool.lost;
      options.onLost(spool.lost);
    },
    publish(nowMs, all, retry, signal) {
      // One at a time: two would compress one part into one file.
      const published = publishing.then(async () => {
        spool.seal(nowMs, all);
        for (const ready of await spool.ready()) {
          if (signal.aborted) return;
          await put(ready, retry, signal);
          spool.done(ready.name);
          options.onWritten();
        }
      });
      publishing = published.catch(() => {});
      return published;
    },
  };
}
