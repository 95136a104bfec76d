// `ferry where`, `ferry receipts` and `ferry verify`: what the receipts tell, printed for people or as JSON.
import { systemClock } from '../core/clock.ts';
import type { ExitName } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import { formatBytes } from '../core/units.ts';
import type { FreedWhy } from '../files/receipts/line.ts';
import type { ProvedLine } from '../files/receipts/parse.ts';
import type { Span } from '../files/receipts/read.ts';
import type { Whereabouts } from '../files/receipts/where.ts';
import type { DoctorSettings } from '../files/settings.ts';
import type { Surroundings } from './surroundings.ts';
import { parseTime } from './times.ts';

const DAY_MS = 86_400_000;
const WHERE_BACK_MS = 7 * DAY_MS;
const PROOFS: Readonly<Record<ProvedLine['proof'], string>> = {
  put: 'the store verified its SHA-256, and a listing showed it',
  md5: 'a listing showed the MD5 of its content',
  checksum: 'the SHA-256 that the store keeps was compared',
};
const WHYS: Readonly<Record<FreedWhy, string>> = {
  retention: 'its retention was over',
  disk: 'the disk was near its limit',
  spill: 'it was on the spill volume, which keeps nothing beyond its proof',
  gone: 'it was no longer there',
};

interface Asked {
  readonly settings: DoctorSettings;
  readonly around: Surroundings;
  readonly json: boolean;
}

export interface SpanFlags {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

function spanOf({ from, until }: SpanFlags, backMs: number): Span {
  const nowMs = systemClock.now();
  return {
    fromMs: from === undefined ? nowMs - backMs : parseTime('--from', from, nowMs),
    untilMs: until === undefined ? nowMs : parseTime('--until', until, nowMs),
  };
}

/** Where a file went. `unhealthy` when no receipt tells of it, or its object is not there. */
export async function whereCommand(asked: Asked, name: string, flags: SpanFlags): Promise<ExitName> {
  const { stdout } = asked.around;
  const { whereIs } = await import('../files/receipts/where.ts');
  const span = spanOf(flags, WHERE_BACK_MS);
  const found = await withStore(asked, (store) => whereIs(store, name, span, progress(asked)));
  if (asked.json) stdout.write(`${JSON.stringify(found)}\n`);
  else if (found.length > 0) stdout.write(found.map((place) => textOf(place, asked.settings.to)).join('\n'));
  else
    stdout.write(
      `No receipt from ${utc(span.fromMs)} to ${utc(span.untilMs)} tells of ${name}. ` +
        'Look further back with --from; what was proved within the last hour has no receipt yet.\n',
    );
  return found.length > 0 && found.every(({ object }) => object !== undefined) ? 'ok' : 'unhealthy';
}

/** What was proved and freed in a time. */
export async function receiptsCommand(asked: Asked, flags: SpanFlags): Promise<ExitName> {
  const { stdout } = asked.around;
  const { linesWithin } = await import('../files/receipts/read.ts');
  await withStore(asked, async (store) => {
    for await (const line of linesWithin(store, spanOf(flags, DAY_MS), progress(asked))) {
      const text = asked.json
        ? JSON.stringify(line)
        : `${utc(Date.parse(line.at))}  ${line.event.padEnd(6)}  ${line.file}  ${formatBytes(line.bytes)}  ` +
          (line.event === 'proved' ? line.key : WHYS[line.why]);
      // A slow reader must not fill the memory with a million lines.
      if (!stdout.write(`${text}\n`)) await new Promise((resolve) => stdout.once('drain', resolve));
    }
  });
  return 'ok';
}

/** Holds a day's receipts against listing and source. `unhealthy` when they differ. */
export async function verifyCommand(asked: Asked, day: string | undefined): Promise<ExitName> {
  const { stdout } = asked.around;
  const { verify } = await import('../files/receipts/verify.ts');
  const nowMs = systemClock.now();
  const fromMs = Math.floor(parseTime('--day', day ?? '0s', nowMs) / DAY_MS) * DAY_MS;
  const date = new Date(fromMs).toISOString().slice(0, 10);
  const result = await withStore(asked, (store) =>
    verify({
      store,
      day: { fromMs, untilMs: fromMs + DAY_MS },
      untilMs: nowMs,
      source: asked.settings.source,
      onReceipt: progress(asked),
      onDifference: (difference) =>
        stdout.write(
          asked.json ? `${JSON.stringify(difference)}\n` : `${difference.kind}: ${difference.what}\n`,
        ),
    }),
  );
  const local = result.local === undefined ? '' : `, ${result.local} local files of that day`;
  stdout.write(
    asked.json
      ? `${JSON.stringify({ kind: 'summary', day: date, ...result })}\n`
      : `${date}: ${result.receipts} receipts tell of ${result.proved} files proved, ${result.freed} of them freed since${local}; ` +
          `${result.differences === 0 ? 'no difference' : `${result.differences} differences`}\n`,
  );
  return result.differences === 0 ? 'ok' : 'unhealthy';
}

async function withStore<T>({ settings, around }: Asked, act: (store: Store) => Promise<T>): Promise<T> {
  const { openStore } = await import('../files/run.ts');
  const store = await openStore(settings, around.env);
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

/** On a terminal which receipt is being read; elsewhere nothing. */
function progress({ around: { stderr } }: Asked): (key: string) => void {
  return (key) => {
    if (stderr.isTTY) stderr.write(`reading ${key}\n`);
  };
}

function textOf({ file, key, proved, freed, object }: Whereabouts, to: string): string {
  const lines = [
    file,
    `  object   ${to}/${key}${object ? `, ${formatBytes(object.sizeBytes)}` : ': not in the bucket any more'}`,
  ];
  if (proved) {
    lines.push(`  sha256   ${proved.sha256}`, `  written  ${utc(Date.parse(proved.written))}`);
    if (proved.sent !== undefined) lines.push(`  sent     ${utc(Date.parse(proved.sent))}`);
    lines.push(`  proved   ${utc(Date.parse(proved.at))}: ${PROOFS[proved.proof]}`);
  }
  lines.push(
    freed ? `  freed    ${utc(Date.parse(freed.at))}: ${WHYS[freed.why]}` : '  freed    no receipt says so',
  );
  return `${lines.join('\n')}\n`;
}

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
