// Pulling one day of one type: page after page, each record a line, lines into parts, parts into the stores. What came in
// is in the spool before the next page is asked for.
import { crc32 } from 'node:zlib';
import type { StorePorts } from '../core/put-once.ts';
import { type Member, putMember } from '../core/seal.ts';
import type { Page } from './api/answer.ts';
import { ApiError } from './api/errors.ts';
import { gzipFile } from './compress.ts';
import { createContentSum, createSeenIds, md5, type SeenIds, sha256, TRACE_BYTES } from './seen.ts';
import { type Progress, type Spool, START } from './spool.ts';
import { readTraces } from './traces.ts';

export interface PullOptions {
  /** Asks for a page, with retries and at its pace. */
  readonly page: (cursor: string | undefined) => Promise<Page>;
  /** A record as the line that is stored. */
  readonly line: (record: object) => string;
  readonly spool: Spool;
  /** Where parts go, each with the set's prefix; none to look only: nothing is written then. */
  readonly stores: readonly StorePorts[];
  readonly set: string;
  /** A part ends at so many records, or at so many uncompressed bytes, whichever comes first. */
  readonly partRecords: number;
  readonly partBytes: number;
  /** Told after each page. */
  readonly onPage?: (page: { readonly records: number; readonly duplicates: number }) => void;
}

export interface Pulled {
  readonly pages: number;
  readonly records: number;
  /** Records that came again, as a page edge moved; each was left out. */
  readonly duplicates: number;
  readonly bytes: number;
  readonly contentSum: string;
  /** Of each store, in order. */
  readonly members: readonly (readonly Member[])[];
  /** Whether an earlier try's pages were of use. */
  readonly resumedPages: number;
}

/**
 * Goes on where the spool ends, to the last page. Rejects with ApiError or the stores' errors; the spool then holds what
 * came in so far.
 */
export async function pullDay(options: PullOptions): Promise<Pulled> {
  const { spool, stores } = options;
  const { resumed } = spool;
  const resumedPages = resumed?.progress.pages ?? 0;
  const members: Member[][] = stores.map((_, store) => [...(resumed?.members[store] ?? [])]);
  const seen = createSeenIds();
  if (resumed !== undefined) for (const { id } of readTraces(spool.tracesPath())) seen.add(id);
  const cursors = new Set(resumed?.cursors);
  let progress = resumed?.progress ?? START;
  while (!progress.done) {
    const { cursor } = progress;
    if (cursor !== undefined) {
      if (cursors.has(cursor))
        throw new ApiError(
          'data',
          `the cursor ${JSON.stringify(cursor)} came twice: its pages would go round for ever`,
        );
      cursors.add(cursor);
    }
    const page = await options.page(cursor);
    progress = await takePage(options, progress, page, seen, members);
    spool.commit(progress);
    options.onPage?.({ records: progress.records, duplicates: progress.duplicates });
  }
  if (stores.length > 0 && progress.part.records > 0) {
    await putPart(options, progress.part, members);
  }
  const { pages, records, duplicates, bytes, contentSum } = progress;
  return { pages, records, duplicates, bytes, contentSum, members, resumedPages };
}

async function takePage(
  options: PullOptions,
  before: Progress,
  page: Page,
  seen: SeenIds,
  members: Member[][],
): Promise<Progress> {
  const { spool, stores } = options;
  const sum = createContentSum(before.contentSum);
  const traces: Buffer[] = [];
  let { records, duplicates, bytes } = before;
  let part = { ...before.part };
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    const text = Buffer.from(`${lines.join('\n')}\n`);
    lines = [];
    if (stores.length > 0) spool.append(part.index, text);
    part.crc = crc32(text, part.crc);
  };
  for (const { id, value } of page.records) {
    const line = options.line(value);
    const lineHash = sha256(line);
    const idHash = id === undefined ? lineHash.subarray(0, 16) : md5(id);
    if (id !== undefined && !seen.add(idHash)) {
      duplicates += 1;
      continue;
    }
    sum.add(lineHash);
    traces.push(idHash, lineHash.subarray(0, TRACE_BYTES - 16));
    lines.push(line);
    const lineBytes = Buffer.byteLength(line) + 1;
    records += 1;
    bytes += lineBytes;
    part.records += 1;
    part.bytes += lineBytes;
    if (part.records >= options.partRecords || part.bytes >= options.partBytes) {
      flush();
      if (stores.length > 0) await putPart(options, part, members);
      part = { index: part.index + 1, records: 0, bytes: 0, crc: 0 };
    }
  }
  flush();
  const trace = Buffer.concat(traces);
  spool.appendTraces(trace);
  const { next } = page;
  return {
    pages: before.pages + 1,
    ...(next === undefined ? {} : { cursor: next }),
    done: next === undefined,
    records,
    duplicates,
    bytes,
    contentSum: sum.hex(),
    traceCrc: crc32(trace, before.traceCrc),
    // A look writes no part: there is nothing to go on with.
    part: stores.length > 0 ? part : START.part,
  };
}

/** Puts a part into every store that has not got it from an earlier try. */
async function putPart(
  { spool, stores, set }: PullOptions,
  { index, bytes, crc }: Progress['part'],
  members: Member[][],
): Promise<void> {
  const { body, crcRead } = await gzipFile(spool.partPath(index), bytes);
  if (crcRead !== crc)
    throw new Error(`${spool.partPath(index)} is not what was written to it: its disk cannot be trusted`);
  for (const [store, ports] of stores.entries()) {
    const ofStore = members[store];
    if (ofStore === undefined || ofStore[index] !== undefined) continue;
    const member = await putMember(ports, set, partName(index), body);
    ofStore[index] = member;
    spool.put(index, store, member);
  }
}

function partName(index: number): string {
  return `part-${String(index).padStart(5, '0')}.ndjson.gz`;
}
