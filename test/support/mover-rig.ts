// A files mover between a real directory and the strict S3 server, with times short enough for a test, and the means to
// count both sides.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { type ExitName, errnoOf } from '../../app/core/errors.ts';
import { createLog } from '../../app/core/log.ts';
import { openS3Store } from '../../app/core/s3/store.ts';
import type { Store } from '../../app/core/store.ts';
import type { Mover } from '../../app/files/mover.ts';
import { startMovers } from '../../app/files/movers.ts';
import { RECEIPTS_PREFIX } from '../../app/files/receipts/line.ts';
import type { FilesSettings } from '../../app/files/settings.ts';
import type { FilesSnapshot } from '../../app/files/snapshot.ts';
import type { S3Operation } from './s3/faults.ts';
import type { StoredS3Object } from './s3/objects.ts';
import { type S3Server, type S3ServerOptions, startS3Server } from './s3/server.ts';

export interface RigOptions extends S3ServerOptions {
  readonly settings?: Partial<FilesSettings>;
  /** Below which the objects go, with its slash. Default none. */
  readonly prefix?: string;
  /** False: as on a share whose kernel tells of nothing. */
  readonly hints?: boolean;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Rig {
  /** Holds `source` and `state`; gone after the test. */
  readonly directory: string;
  readonly source: string;
  readonly state: string;
  readonly server: S3Server;
  /** Of every mover started here. */
  readonly lines: readonly LogLine[];
  /** Starts a mover that runs until the test ends or drains it. */
  start(settings?: Partial<FilesSettings>): Promise<Mover>;
  /** One pass; the mover is gone when this resolves. */
  once(settings?: Partial<FilesSettings>): Promise<{ exit: ExitName; snapshot: FilesSnapshot }>;
  /** Writes a file below the source and answers its SHA-256. Without a content, one that no other file has. */
  write(path: string, content?: string | Buffer): string;
  /** The same, with times that lie so far back. */
  writeOld(path: string, ageMs: number, content?: string | Buffer): string;
  /** Requests of these kinds that the server has answered so far. */
  asked(...operations: S3Operation[]): number;
}

const SHORT: Omit<FilesSettings, 'source' | 'state' | 'to'> = {
  key: '{path}',
  once: false,
  settleMs: 100,
  retentionMs: 0,
  keep: false,
  dryRun: false,
  volumeLimitBytes: undefined,
  spill: undefined,
  endpoint: undefined,
  region: undefined,
  pathStyle: true,
  sse: 'none',
  sseKmsKeyId: undefined,
  mayRead: false,
  concurrency: 16,
  requestTimeoutMs: 5_000,
  proveEveryMs: 100,
  walkEveryMs: 20,
  walkCpuShare: 1,
  // The disk of the machine that tests is not the test's matter unless a limit is set.
  highWatermark: 0.998,
  lowWatermark: 0.997,
  criticalWatermark: 0.999,
  drainMs: 5_000,
  listen: undefined,
  page: 'local',
  pageToken: undefined,
  heartbeatUrl: undefined,
  heartbeatWithinMs: 900_000,
  // What a test counts are the files' objects.
  receipts: false,
  logLevel: 'info',
  summaryEveryMs: 60_000,
};

export async function createRig(t: Pick<TestContext, 'after'>, options: RigOptions = {}): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'ferry-rig-'));
  const source = join(directory, 'source');
  const state = join(directory, 'state');
  mkdirSync(source);
  const server = await startS3Server(options);
  const lines: LogLine[] = [];
  const log = createLog({
    level: 'info',
    stream: { write: (line) => lines.push(JSON.parse(line) as LogLine) }, // pino's own line
  });
  const running: { mover: Mover; store: Store }[] = [];
  t.after(async () => {
    for (const { mover } of running) mover.kill();
    await Promise.allSettled(running.map(({ mover }) => mover.done));
    for (const { store } of running) await store.close();
    await server.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  async function start(changed: Partial<FilesSettings> = {}): Promise<Mover> {
    const settings = {
      ...SHORT,
      source,
      state,
      to: `s3://${server.bucket}`,
      ...options.settings,
      ...changed,
    };
    const store = await openS3Store({
      bucket: server.bucket,
      prefix: options.prefix ?? '',
      endpoint: server.endpoint,
      region: server.region,
      pathStyle: true,
      credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
      requestTimeoutMs: settings.requestTimeoutMs,
      sse: settings.sse,
      sseKmsKeyId: settings.sseKmsKeyId,
      mayRead: settings.mayRead,
      maxSockets: settings.concurrency,
      env: {},
    });
    const mover = await startMovers({
      settings,
      store,
      clock: systemClock,
      log,
      hints: options.hints ?? true,
    });
    mover.done.catch(() => {}); // A test that awaits it sees the rejection; one that kills it need not.
    running.push({ mover, store });
    return mover;
  }

  const write = (path: string, content: string | Buffer = uniqueContent(path)): string => {
    const absolute = join(source, path);
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, content);
    return sha256(content);
  };

  return {
    directory,
    source,
    state,
    server,
    lines,
    start,
    async once(changed) {
      const mover = await start({ ...changed, once: true });
      const exit = await mover.done;
      return { exit, snapshot: mover.snapshot() };
    },
    write,
    writeOld(path, ageMs, content) {
      const hash = write(path, content);
      const at = (Date.now() - ageMs) / 1_000;
      utimesSync(join(source, path), at, at);
      return hash;
    },
    asked: (...operations) => server.requests.filter(({ op }) => operations.includes(op)).length,
  };
}

let made = 0;
/** A content that no other file of this process has. */
export function uniqueContent(name: string, sizeBytes = 0): string {
  made += 1;
  return `${name}\n${process.pid}-${made}-${process.hrtime.bigint()}\n`.padEnd(sizeBytes, 'x');
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of every regular file below a directory, by path (one character per byte). */
export function localHashes(directory: string): Map<string, string> {
  const hashes = new Map<string, string>();
  const visit = (below: Buffer): void => {
    const here =
      below.length === 0 ? Buffer.from(directory) : Buffer.concat([Buffer.from(`${directory}/`), below]);
    for (const entry of readdirSync(here, { withFileTypes: true, encoding: 'buffer' })) {
      const path = below.length === 0 ? entry.name : Buffer.concat([below, Buffer.from('/'), entry.name]);
      const absolute = Buffer.concat([Buffer.from(`${directory}/`), path]);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) {
        const content = readUnlessGone(absolute);
        if (content !== undefined) hashes.set(path.toString('latin1'), sha256(content));
      }
    }
  };
  visit(Buffer.alloc(0));
  return hashes;
}

/** Whether no regular file is left below a directory. Looks at names only: cheap enough to be asked again and again. */
export function isEmptied(directory: string): boolean {
  return !readdirSync(directory, { withFileTypes: true, recursive: true }).some((entry) => entry.isFile());
}

/** Undefined when the file went, or got another name, after it was found. */
function readUnlessGone(absolute: Buffer): Buffer | undefined {
  try {
    return readFileSync(absolute);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The files' objects: receipts of what happened to them are no part of the balance. */
export function dataObjects(server: S3Server): StoredS3Object[] {
  return [...server.objects].flatMap(([key, object]) => (key.includes(RECEIPTS_PREFIX) ? [] : [object]));
}

/** How many objects hold each content. */
export function objectsByContent(server: S3Server): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { sha256Hex } of dataObjects(server)) counts.set(sha256Hex, (counts.get(sha256Hex) ?? 0) + 1);
  return counts;
}

/** Every content is in exactly one object, there is no other object, and no key was written twice. */
export function assertExactly(server: S3Server, contents: Iterable<string>): void {
  const counts = objectsByContent(server);
  const wanted = [...contents];
  const missing = wanted.filter((hash) => !counts.has(hash)).length;
  const twice = [...counts.values()].filter((count) => count > 1).length;
  const objects = dataObjects(server).length;
  const overwritten = [...server.objects.values()].filter(({ puts }) => puts !== 1).length;
  assert.deepEqual(
    { missing, twice, overwritten, objects },
    { missing: 0, twice: 0, overwritten: 0, objects: wanted.length },
  );
}

/** Whether every one of these contents is in the store or still a local file: nothing is lost. */
export function lost(server: S3Server, source: string, contents: Iterable<string>): string[] {
  // Local first: a file that is moved meanwhile is then found in the store.
  const local = new Set(localHashes(source).values());
  const stored = objectsByContent(server);
  return [...contents].filter((hash) => !stored.has(hash) && !local.has(hash));
}
