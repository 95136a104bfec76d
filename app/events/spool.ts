// What was pulled of one day and not yet sealed, in a directory of its own, so that a kill costs one page and one part.
//
//   journal          one line of JSON for each page: where the next one is, and how far the other files count
//   traces           24 bytes for each record (see seen.ts)
//   part-00000       lines of the part that is being filled; gone once a later page is in the journal
//
// A cache: whatever does not fit together is thrown away and the day is pulled anew.
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { TRACE_BYTES } from './seen.ts';

const memberSchema = z.object({ key: z.string(), sizeBytes: z.number(), sha256: z.string() });

const progressSchema = z.object({
  /** Pages pulled. */
  pages: z.number(),
  /** What names the next page; absent before the first and after the last. */
  cursor: z.string().optional(),
  /** Whether the last page is in. */
  done: z.boolean(),
  records: z.number(),
  duplicates: z.number(),
  /** Uncompressed bytes of all lines. */
  bytes: z.number(),
  contentSum: z.string(),
  traceCrc: z.number(),
  part: z.object({ index: z.number(), records: z.number(), bytes: z.number(), crc: z.number() }),
});

/** How far a day has come. */
export type Progress = z.output<typeof progressSchema>;
export type SpooledMember = z.output<typeof memberSchema>;

const lineSchema = z.union([
  z.object({ fingerprint: z.string() }),
  z.object({ sealedPart: z.number(), store: z.number(), member: memberSchema }),
  progressSchema,
]);

export const START: Progress = {
  pages: 0,
  done: false,
  records: 0,
  duplicates: 0,
  bytes: 0,
  contentSum: '0'.repeat(64),
  traceCrc: 0,
  part: { index: 0, records: 0, bytes: 0, crc: 0 },
};

/** Parts put so far, by store. */
export type Members = readonly (readonly SpooledMember[])[];

export interface Resumed {
  readonly progress: Progress;
  /** Part `index` of store `n` at `[n][index]`. */
  readonly members: Members;
  /** Cursors of all pages pulled so far. */
  readonly cursors: readonly string[];
}

export interface Spool {
  readonly directory: string;
  /** Undefined: nothing of use is there. */
  readonly resumed: Resumed | undefined;
  /** Adds lines, each with its line feed, to a part. */
  append(part: number, lines: Buffer): void;
  appendTraces(traces: Buffer): void;
  /** Remembers a part that a store has acknowledged. */
  put(part: number, store: number, member: SpooledMember): void;
  /** A page is in: from here on a restart goes on after it. Parts before the current one are dropped. */
  commit(progress: Progress): void;
  partPath(part: number): string;
  tracesPath(): string;
  /** Frees the file descriptors; the files stay. */
  close(): void;
  /** Removes everything. */
  drop(): void;
}

/** @param fingerprint what must be equal for an earlier try to be of use: the API, the page size, the part size */
export function openSpool(directory: string, fingerprint: string): Spool {
  mkdirSync(directory, { recursive: true });
  const resumed = readSpool(directory, fingerprint);
  if (resumed === undefined) for (const name of readdirSync(directory)) rmSync(join(directory, name));
  const journal = openSync(join(directory, 'journal'), 'a');
  const traces = openSync(join(directory, 'traces'), 'a');
  if (resumed === undefined) writeSync(journal, `${JSON.stringify({ fingerprint })}\n`);
  else ftruncateSync(traces, resumed.progress.records * TRACE_BYTES);
  let part: { index: number; descriptor: number } | undefined;
  const partPath = (index: number): string => join(directory, `part-${String(index).padStart(5, '0')}`);
  if (resumed !== undefined) {
    const { index, bytes } = resumed.progress.part;
    for (const name of readdirSync(directory))
      if (name.startsWith('part-') && join(directory, name) !== partPath(index))
        rmSync(join(directory, name));
    const descriptor = openSync(partPath(index), 'a');
    ftruncateSync(descriptor, bytes);
    part = { index, descriptor };
  }
  let oldest = resumed?.progress.part.index ?? 0;
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    for (const descriptor of [journal, traces, ...(part ? [part.descriptor] : [])]) closeSync(descriptor);
  };
  return {
    directory,
    resumed,
    append(index, lines) {
      if (part?.index !== index) {
        if (part) closeSync(part.descriptor);
        part = { index, descriptor: openSync(partPath(index), 'a') };
      }
      writeFully(part.descriptor, lines);
    },
    appendTraces: (bytes) => writeFully(traces, bytes),
    put(index, store, member) {
      writeSync(journal, `${JSON.stringify({ sealedPart: index, store, member })}\n`);
    },
    commit(progress) {
      writeSync(journal, `${JSON.stringify(progress)}\n`);
      for (; oldest < progress.part.index; oldest += 1) rmSync(partPath(oldest), { force: true });
    },
    partPath,
    tracesPath: () => join(directory, 'traces'),
    close,
    drop() {
      if (isOpen) fsyncSync(journal);
      close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function writeFully(descriptor: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) from += writeSync(descriptor, bytes, from);
}

/** What is there, if all of it fits together: lengths and checksums of every file up to the last page in the journal. */
function readSpool(directory: string, fingerprint: string): Resumed | undefined {
  const path = join(directory, 'journal');
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  // What follows the last line feed was being written when the process ended.
  lines.pop();
  let progress: Progress | undefined;
  let isOurs = false;
  const cursors: string[] = [];
  const members: SpooledMember[][] = [];
  for (const text of lines) {
    const line = parseLine(text);
    if (line === undefined) return undefined;
    if ('fingerprint' in line) isOurs = line.fingerprint === fingerprint;
    else if ('sealedPart' in line) {
      members[line.store] ??= [];
      const ofStore = members[line.store] ?? [];
      ofStore[line.sealedPart] = line.member;
    } else {
      if (progress?.cursor !== undefined) cursors.push(progress.cursor);
      progress = line;
    }
  }
  if (!isOurs || progress === undefined) return undefined;
  const { part, records, traceCrc } = progress;
  const name = `part-${String(part.index).padStart(5, '0')}`;
  if (crcOf(join(directory, name), part.bytes) !== part.crc) return undefined;
  if (crcOf(join(directory, 'traces'), records * TRACE_BYTES) !== traceCrc) return undefined;
  return { progress, members: members.map((each) => each.slice(0, part.index)), cursors };
}

function parseLine(text: string): z.output<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The CRC-32 of a file's first bytes; undefined when it has fewer. */
function crcOf(path: string, bytes: number): number | undefined {
  if (bytes === 0) return 0;
  if (!existsSync(path)) return undefined;
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(bytes, 2 ** 20));
    let crc = 0;
    for (let at = 0; at < bytes; ) {
      const length = readSync(descriptor, buffer, 0, Math.min(buffer.length, bytes - at), at);
      if (length === 0) return undefined;
      crc = crc32(buffer.subarray(0, length), crc);
      at += length;
    }
    return crc;
  } finally {
    closeSync(descriptor);
  }
}
