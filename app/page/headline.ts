// The answer in ten seconds: one line that says whether the data flows, since when not, why, and what to do about it.
import type { StoreFault } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import { remedyOf } from '../files/reasons.ts';
import type { FilesSnapshot } from '../files/snapshot.ts';
import { type VerdictName, verdict } from '../files/summary.ts';

export interface Headline {
  readonly verdict: VerdictName;
  readonly tone: 'good' | 'warn' | 'bad';
  /** `Stuck: S3 refuses the role since 09:14 UTC (AccessDenied), disk full in 6h`. */
  readonly title: string;
  /** One sentence more. */
  readonly detail: string;
  /** What to do; absent when there is nothing to do. */
  readonly remedy?: string;
}

const TITLES: Readonly<Record<VerdictName, string>> = {
  idle: 'Idle',
  flowing: 'Flowing',
  settling: 'Settling',
  stuck: 'Stuck',
  starting: 'Starting',
  draining: 'Stopping',
};

const FAULTS: Readonly<Record<StoreFault, string>> = {
  denied: 'the store refuses the role',
  'no-bucket': 'the bucket does not exist',
  'wrong-region': 'the bucket is in another region',
  expired: 'the credentials have expired',
  skew: "this machine's clock is wrong",
  'bad-request': 'the store cannot take a file as it is',
  throttled: 'the store asks to slow down',
  unavailable: 'the store is not available',
  network: 'the store cannot be reached',
  timeout: 'the store does not answer in time',
  conflict: 'another upload of the same key is under way',
  'no-space': 'the store is full',
  corrupt: 'content arrives damaged at the store',
  'bad-listing': 'the store gives a listing that cannot be trusted',
  aborted: 'a call to the store was stopped',
};

export function headline(now: FilesSnapshot): Headline {
  const { verdict: name, why } = verdict(now);
  const parts: string[] = [];
  if (name === 'idle') parts.push(idleText(now));
  const down = now.store?.ok === false ? now.store : undefined;
  if (down) parts.push(storeText(down));
  else if (name === 'stuck' && now.failing.size > 0) parts.push(failingText(now));
  else if (name === 'stuck') parts.push(`nothing succeeded for ${formatDuration(quietMs(now))}`);
  const disk = diskText(now);
  if (disk !== '') parts.push(disk);
  const failing = [...now.failing.values()].some((files) => files > 0);
  const bad = name === 'stuck' || now.disk?.level === 'critical';
  const warn = down !== undefined || failing || now.disk?.level === 'high';
  const reason = down?.fault ?? [...now.failing].sort((a, b) => b[1] - a[1])[0]?.[0];
  const remedy = reason === undefined ? undefined : remedyOf(reason);
  return {
    verdict: name,
    tone: bad ? 'bad' : warn ? 'warn' : 'good',
    title: parts.length === 0 ? TITLES[name] : `${TITLES[name]}: ${parts.join(', ')}`,
    detail: why,
    ...(remedy !== undefined && { remedy }),
  };
}

function idleText(now: FilesSnapshot): string {
  const since = now.lastArrivalAtMs ?? now.startedAtMs;
  return `the writer has been quiet for ${inWords(now.atMs - since)}`;
}

function storeText(store: NonNullable<FilesSnapshot['store']>): string {
  const what = Object.entries(FAULTS).find(([fault]) => fault === store.fault)?.[1] ?? 'the store fails';
  const code =
    /\b(AccessDenied|ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|SlowDown|ServiceUnavailable|InternalError|RequestTimeTooSkewed|E[A-Z]{4,})\b/.exec(
      store.message ?? '',
    )?.[1];
  return `${what} since ${new Date(store.sinceMs).toISOString().slice(11, 16)} UTC${code === undefined ? '' : ` (${code})`}`;
}

function failingText(now: FilesSnapshot): string {
  const files = [...now.failing.values()].reduce((all, one) => all + one, 0);
  return `${files} ${files === 1 ? 'file fails' : 'files fail'}`;
}

function diskText({ disk }: FilesSnapshot): string {
  if (!disk) return '';
  if (disk.usedBytes >= disk.limitBytes || disk.usedInodes >= disk.limitInodes) return 'the disk is full';
  if (disk.fullInMs !== undefined && (disk.level !== 'ok' || disk.fullInMs < 86_400_000))
    return `disk full in ${formatDuration(disk.fullInMs)}`;
  return disk.level === 'ok' ? '' : 'the disk is near its limit';
}

const quietMs = (now: FilesSnapshot): number => now.atMs - (now.lastSuccessAtMs ?? now.startedAtMs);

/** "14 minutes": what a person says. */
function inWords(ms: number): string {
  for (const [unit, size] of [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const) {
    const count = Math.floor(ms / size);
    if (count >= 2 || (count === 1 && unit !== 'day')) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return `${Math.max(0, Math.round(ms / 1_000))} seconds`;
}
