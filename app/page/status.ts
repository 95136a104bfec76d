// What the page shows about the flow, as JSON made from one snapshot.
import packageJson from '../../package.json' with { type: 'json' };
import { type Browser, COUNTED_MAX } from '../files/browse.ts';
import { toText } from '../files/paths.ts';
import { reasonsClause, remedyOf } from '../files/reasons.ts';
import type { FilesSettings } from '../files/settings.ts';
import type { FilesSnapshot } from '../files/snapshot.ts';
import { headline } from './headline.ts';
import { type History, sampleOf } from './history.ts';

export type PageSettings = Pick<
  FilesSettings,
  'source' | 'to' | 'keep' | 'retentionMs' | 'lowWatermark' | 'highWatermark' | 'criticalWatermark'
>;

const SOON_MS = 3_600_000;

/** Times in Unix milliseconds, sizes in bytes; what is not known is null. `names`: whether file names may be in it. */
export function statusOf(
  now: FilesSnapshot,
  settings: PageSettings,
  history: History,
  files: Browser,
  names: boolean,
) {
  const { total, disk } = now;
  const due = settings.keep ? undefined : files.due(now.atMs + SOON_MS);
  return {
    version: packageJson.version,
    atMs: now.atMs,
    startedAtMs: now.startedAtMs,
    source: settings.source,
    to: settings.to,
    names,
    headline: headline(now),
    rates: history.rates(sampleOf(now)),
    seen: total.seen,
    sent: total.sent,
    deduplicated: total.deduplicated,
    proved: total.proved,
    freed: total.freed,
    freedEarly: total.freedEarly,
    conflicts: total.conflicts,
    vanishedObjects: total.vanishedObjects,
    backlog: now.backlog,
    settling: now.settling,
    unproved: now.unproved,
    retained: now.retained,
    oldestUnprovedAgeMs: now.oldestUnprovedAgeMs ?? null,
    lastSuccessAtMs: now.lastSuccessAtMs ?? null,
    lastArrivalAtMs: now.lastArrivalAtMs ?? null,
    disk: disk
      ? {
          usedBytes: disk.usedBytes,
          limitBytes: disk.limitBytes,
          usedInodes: disk.usedInodes,
          limitInodes: Number.isFinite(disk.limitInodes) ? disk.limitInodes : null,
          level: disk.level,
          fullInMs: disk.fullInMs ?? null,
          growthBytesPerSecond: disk.growthBytesPerSecond,
          marks: {
            low: settings.lowWatermark,
            high: settings.highWatermark,
            critical: settings.criticalWatermark,
          },
        }
      : null,
    freeing: due
      ? {
          retentionMs: settings.retentionMs,
          firstAtMs: due.firstMs ?? null,
          withinMs: SOON_MS,
          files: due.files,
          more: due.files >= COUNTED_MAX,
        }
      : null,
    failing: [...now.failing]
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => {
        const example = names ? files.example(reason) : undefined;
        return {
          reason,
          files: count,
          words: reasonsClause(new Map([[reason, count]])),
          remedy: remedyOf(reason) ?? '',
          example: example ? { name: toText(example.path), message: example.message } : null,
        };
      }),
    skipped: Object.fromEntries(now.skipped),
    draining: now.draining,
  };
}

export type Status = ReturnType<typeof statusOf>;
