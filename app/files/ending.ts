// What a run says of itself at its end, and what a dry run says of what would have happened.
import { formatBytes, writeDuration } from '../core/units.ts';
import type { Parts } from './parts.ts';
import type { FilesSettings } from './settings.ts';
import type { FilesSnapshot } from './snapshot.ts';

const ROWS_AT_ONCE = 500;

/** The end of a run, for people. */
export function doneText(
  { total, retained, unproved, failing, skipped }: FilesSnapshot,
  settings: Pick<FilesSettings, 'keep' | 'retentionMs'>,
): string {
  const why = settings.keep ? '--keep' : `--retention ${writeDuration(settings.retentionMs)}`;
  const kept = retained.files === 0 ? '' : ` (${retained.files} are kept: ${why})`;
  return (
    `done: ${total.sent.files} files sent (${formatBytes(total.sent.bytes)}), ` +
    `${total.deduplicated.files} were there already, ${total.proved.files} proved, ${total.freed.files} freed${kept}, ` +
    `${unproved.files} not yet proved; skipped ${byKind(skipped)}; left behind ${byKind(failing)}`
  );
}

/** The end of a dry run, for people; `wouldDeleteText` has said the rest. */
export function dryRunText({ total }: FilesSnapshot): string {
  return (
    `dry-run: ${total.sent.files} files (${formatBytes(total.sent.bytes)}) would be sent, ` +
    `${total.deduplicated.files} are there already; nothing was written and nothing was deleted`
  );
}

/** How far a dry run is; the mover counts what it would send as sent. */
export function dryRunLine({ total, backlog }: FilesSnapshot): {
  message: string;
  fields: Record<string, unknown>;
} {
  return {
    message:
      `dry-run: so far ${total.sent.files} files (${formatBytes(total.sent.bytes)}) would be sent, ` +
      `${total.deduplicated.files} are there already, ${backlog.files} are still looked at`,
    fields: {
      dryRun: true,
      wouldSendFiles: total.sent.files,
      wouldSendBytes: total.sent.bytes,
      alreadyThereFiles: total.deduplicated.files,
    },
  };
}

/** What a run would delete, told from what a dry run has compared with the store. */
export function wouldDeleteText({
  ledger,
  settings,
  clock,
  sightings,
}: Pick<Parts, 'ledger' | 'settings' | 'clock' | 'sightings'>): string {
  if (settings.keep) return 'dry-run: would delete nothing (--keep)';
  const upToMs = clock.now() - settings.retentionMs;
  let due = 0;
  let rows = ledger.proved(upToMs, undefined, ROWS_AT_ONCE);
  while (rows.length > 0) {
    due += rows.length;
    rows = ledger.proved(upToMs, rows.at(-1), ROWS_AT_ONCE);
  }
  const level = sightings.readDisk()?.level ?? 'ok';
  const early = level === 'ok' ? '' : `; the disk is ${level}, so proved files would go before their time`;
  return (
    `dry-run: would delete ${due} files now (proved, past the retention of ${writeDuration(settings.retentionMs)}), ` +
    `${ledger.totals.files - due} later${early}`
  );
}

/** `3 (2 symlink, 1 fifo)`; `0` for none. */
function byKind(counts: ReadonlyMap<string, number>): string {
  const kinds = [...counts].filter(([, files]) => files > 0);
  const all = kinds.reduce((sum, [, files]) => sum + files, 0);
  return all === 0 ? '0' : `${all} (${kinds.map(([kind, files]) => `${files} ${kind}`).join(', ')})`;
}
