// Pulling one day of one type: page after page, each record a line, lines into parts, parts into the stores. What came in
// is in the spool before the next page is asked for.
import { crc32 } from 'node:zlib';
import type { StorePorts } from '../core/put-once.ts';
import { type Member, putMember } from '../core/seal.ts';
import type { Page } from './api/answer.ts';
import { ApiError } from './api/errors.ts';
import { gzipFile } from './compress.ts';
import { createContentSum, createSeenIds, type SeenIds, TRACE_BYTES, writeMd5, writeSha256 } from './seen.ts';
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
  if (resumed !== undefined) for (const { id } of readTraces(spool.tracesPath())) seen.add(id, 0);
  const scratch = createScratch();
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
    progress = await takePage(options, progress, page, scratch, seen, members);
    spool.commit(progress);
    options.onPage?.({ records: progress.records, duplicates: progress.duplicates });
  }
  if (stores.length > 0 && progress.part.records > 0) {
    await putPart(options, progress.part, members);
  }
  const { pages, records, duplicates, bytes, contentSum } = progress;
  return { pages, records, duplicates, bytes, contentSum, members, resumedPages };
}

/** Room used again for each page: fresh buffers for every one leave the process's memory in pieces. */
interface Scratch {
  /** The text's bytes; the caller's until the next call. */
  bytesOf(text: string): Buffer;
  traces(lengthBytes: number): Buffer;
}

function createScratch(): Scratch {
  let forText = Buffer.alloc(0);
  let forTraces = Buffer.alloc(0);
  return {
    bytesOf(text) {
      // No UTF-16 unit takes more than three bytes in UTF-8.
      if (forText.length < text.length * 3) forText = Buffer.alloc(text.length * 4);
      return forText.subarray(0, forText.write(text));
    },
    traces(lengthBytes) {
      if (forTraces.length < lengthBytes) forTraces = Buffer.alloc(lengthBytes * 2);
      return forTraces;
    },
  };
}

async function takePage(
  options: PullOptions,
  before: Progress,
  page: Page,
  scratch: Scratch,
  seen: SeenIds,
  members: Member[][],
): Promise<Progress> {
  const { spool, stores } = options;
  const sum = createContentSum(before.contentSum);
  const traces = scratch.traces(page.records.length * TRACE_BYTES);
  let traced = 0;
  const lineHash = Buffer.allocUnsafe(32);
  let { records, duplicates, bytes } = before;
  let part = { ...before.part };
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    const text = scratch.bytesOf(`${lines.join('\n')}\n`);
    lines = [];
    if (stores.length > 0) spool.append(part.index, text);
    part.crc = crc32(text, part.crc);
  };
  for (const { id, value } of page.records) {
    const line = options.line(value);
    writeSha256(line, lineHash, 0);
    if (id === undefined) lineHash.copy(traces, traced, 0, 16);
    else writeMd5(id, traces, traced);
    if (id !== undefined && !seen.add(traces, traced)) {
      duplicates += 1;
      continue;
    }
    sum.add(lineHash);
    lineHash.copy(traces, traced + 16, 0, TRACE_BYTES - 16);
    traced += TRACE_BYTES;
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
  const trace = traces.subarray(0, traced);
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
