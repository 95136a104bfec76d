// One case: every contender in turn, round after round, each run checked for what it left in the bucket.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './cases.ts';
import { AWS_CONFIG, type Contender, type Job } from './contenders.ts';
import { type Accounting, type Measured, measure } from './measure.ts';
import type { Peer, PeerName } from './peers.ts';
import type { CaseResult, Run } from './results.ts';
import { type BenchServer, startNullS3, startRealS3 } from './servers.ts';
import { keepWriting, makeSource, type Source } from './sources.ts';
import { measureStart } from './start.ts';
import { measureWhile } from './while.ts';

export interface Surroundings {
  /** A directory of the bench's own, for everything temporary. */
  readonly scratch: string;
  readonly ferryBundle: string;
  readonly accounting: Accounting;
  readonly peer: (name: PeerName) => Peer;
  readonly source: (which: Case) => Source;
  /** Progress, for people. */
  readonly say: (line: string) => void;
}

/** Rejects when a contender fails or leaves another content than the source's: a figure of a lost file is worth nothing. */
export async function runCase(which: Case, rounds: number, around: Surroundings): Promise<CaseResult> {
  const peers = which.contenders.map((contender) => ({ contender, peer: peerOf(contender, around) }));
  const absent = peers.flatMap(({ contender, peer }) =>
    peer && 'missing' in peer ? [{ name: contender.name, why: peer.missing }] : [],
  );
  const present = peers.flatMap(({ contender, peer }) => (peer && 'missing' in peer ? [] : [contender]));
  const result = {
    name: which.name,
    title: which.title,
    files: which.files,
    sizeBytes: which.sizeBytes,
    date: new Date().toISOString().slice(0, 10),
  };
  const directory = join(around.scratch, which.name);
  mkdirSync(directory, { recursive: true });
  const server = await startServer(which, directory);
  if ('missing' in server) {
    const missing = which.contenders.map(({ name }) => ({ name, why: server.missing }));
    return { ...result, server: which.server, contenders: [], missing };
  }
  try {
    const source = around.source(which);
    const runs = new Map<string, Run[]>(present.map(({ name }) => [name, []]));
    const run = (contender: Contender): Promise<Run> =>
      runOnce(which, contender, source, server, directory, around);
    if (isFilled(which)) {
      for (const contender of present) {
        around.say(`${which.name}: filling the bucket for ${contender.name}`);
        await runOnce({ ...which, kind: 'both-sides' }, ending(contender), source, server, directory, around);
      }
    }
    const allRounds = Math.min(rounds, which.roundsMax ?? rounds);
    for (let round = 1; round <= allRounds; round += 1) {
      for (const contender of present) {
        if (isFilled(which)) await server.recount();
        else await server.forget();
        if (which.kind === 'freeing') {
          rmSync(source.directory, { recursive: true, force: true });
          makeSource(source.directory, which.files, which.sizeBytes, which.layout);
          // What was written hours ago lies on the disk: to delete it costs the kernel twice what a file in its cache does.
          spawnSync('sync');
        }
        const figures = await run(contender);
        runs.get(contender.name)?.push(figures);
        const cpuS = ((figures.userMs + figures.systemMs) / 1_000).toFixed(2);
        around.say(
          `${which.name} ${round}/${allRounds} ${contender.name}: ${cpuS} s CPU, ${(figures.wallMs / 1_000).toFixed(2)} s`,
        );
      }
    }
    const contenders = present.map((contender) => ({
      name: contender.name,
      note: contender.note,
      command: shown(contender, jobOf(which, contender, source, server, directory, around)),
      ...(contender.frees ? { frees: contender.frees } : {}),
      runs: runs.get(contender.name) ?? [],
    }));
    return { ...result, server: server.name, contenders, missing: absent };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runOnce(
  which: Case,
  contender: Contender,
  source: Source,
  server: BenchServer,
  directory: string,
  around: Surroundings,
): Promise<Run> {
  const job = jobOf(which, contender, source, server, directory, around);
  if (!which.remembers?.includes(contender.name)) rmSync(job.state, { recursive: true, force: true });
  const configFile = join(directory, 'aws-config');
  writeFileSync(configFile, AWS_CONFIG);
  const env = {
    PATH: process.env.PATH ?? '',
    // A home without settings of somebody's own.
    HOME: directory,
    NODE_ENV: 'production',
    AWS_CONFIG_FILE: configFile,
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    ...server.env,
  };
  const measuredAll = async (): Promise<{ measured: Measured; written: number }> => {
    const words = contender.command(job);
    if (which.kind === 'start') return { measured: await measureStart(words, env), written: 0 };
    if (which.kind === 'steady' || which.kind === 'names') return measureWindow(which, job, words, env);
    const options = { env, scratch: directory, accounting: around.accounting };
    return { measured: await measure(words, options), written: 0 };
  };
  const { measured, written } = await measuredAll();
  const stored = await server.stored(`${job.prefix}${which.files === 0 ? '' : '/'}`);
  if (which.kind === 'names') {
    if (stored.objects === 0) throw new Error(`${which.name}: nothing was sent. ${measured.output}`);
  } else {
    const bytes = source.bytes + written * which.sizeBytes;
    refuseLoss(which, contender, { files: source.files + written, bytes }, measured, stored);
    if (contender.frees) refuseLeft(which, contender, source.directory);
  }
  const { exit: _, output: __, ...cost } = measured;
  return { ...cost, requests: await server.counts() };
}

/** The same, and it ends once everything is moved. */
const ending = (contender: Contender): Contender =>
  contender.runsOn ? { ...contender, command: (job) => [...contender.command(job), '--once'] } : contender;

/** Whether the bucket holds everything before the first round. */
const isFilled = ({ kind }: Case): boolean => kind === 'both-sides' || kind === 'steady';

const LEAD_MS = 60_000;

/** A window of the daemon's life; `written` are files that were added to the source and are gone from it again. */
async function measureWindow(
  { kind, windowMs = 0 }: Case,
  job: Job,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ measured: Measured; written: number }> {
  if (kind === 'names')
    return { measured: await measureWhile(words, env, { leadMs: 0, windowMs }), written: 0 };
  const writer = keepWriting(job.source, `new-${Date.now()}`);
  try {
    const options = { leadMs: Math.min(LEAD_MS, windowMs), windowMs, during: () => () => writer.stop() };
    return { measured: await measureWhile(words, env, options), written: writer.paths.length };
  } finally {
    writer.stop();
    for (const path of writer.paths) rmSync(path);
  }
}

/** Throws unless the program ended well and the bucket holds as many objects and bytes as the source has. */
export function refuseLoss(
  which: Pick<Case, 'name'>,
  contender: Pick<Contender, 'name'>,
  source: Pick<Source, 'files' | 'bytes'>,
  measured: Pick<Measured, 'exit' | 'output'>,
  stored: { readonly objects: number; readonly bytes: number },
): void {
  const said = measured.output.trim() === '' ? '' : ` It said: ${measured.output.trim().slice(-1_000)}`;
  if (measured.exit !== 0) {
    throw new Error(`${which.name}: ${contender.name} ended with ${measured.exit ?? 'a signal'}.${said}`);
  }
  if (stored.objects !== source.files || stored.bytes !== source.bytes) {
    throw new Error(
      `${which.name}: ${contender.name} left ${stored.objects} objects of ${stored.bytes} bytes in the bucket; ` +
        `the source has ${source.files} files of ${source.bytes} bytes.${said}`,
    );
  }
}

/** Throws when a file is left that should have been deleted. */
export function refuseLeft(
  which: Pick<Case, 'name'>,
  contender: Pick<Contender, 'name'>,
  directory: string,
): void {
  const left = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory(),
  );
  if (left.length > 0)
    throw new Error(
      `${which.name}: ${contender.name} left ${left.length} files of which each should be gone.`,
    );
}

function jobOf(
  which: Case,
  contender: Contender,
  source: Source,
  server: BenchServer,
  directory: string,
  around: Surroundings,
): Job {
  const kept = which.remembers?.includes(contender.name) === true;
  return {
    source,
    server,
    // With everything on both sides, contenders whose keys are the same share them.
    prefix: isFilled(which) ? (contender.peer ?? 'ferry') : 'p',
    state: join(directory, kept ? 'state-kept' : 'state'),
    ferryBundle: around.ferryBundle,
    program(name) {
      const peer = around.peer(name);
      if ('missing' in peer) throw new Error(peer.missing);
      return peer.path;
    },
  };
}

function peerOf(contender: Contender, around: Surroundings): Peer | undefined {
  return contender.peer === undefined ? undefined : around.peer(contender.peer);
}

async function startServer(
  which: Case,
  directory: string,
): Promise<BenchServer | { readonly missing: string }> {
  if (which.server === 'real') return startRealS3(directory);
  try {
    return await startNullS3(directory, which.server === 'null-tls');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { missing: 'needs openssl' };
    throw error;
  }
}

/** The command line as a reader would type it. */
function shown(contender: Contender, job: Job): string {
  const names: readonly (readonly [string, string])[] = [
    [process.execPath, 'node'],
    [job.ferryBundle, 'build/ferry.mjs'],
    [join(import.meta.dirname, 'plain-sdk.ts'), 'bench/plain-sdk.ts'],
    [job.source.directory, 'DIR'],
    [job.state, 'STATE'],
    [job.server.endpoint, 'ENDPOINT'],
    [job.server.caFile ?? '\0', 'CA.pem'],
    [job.server.env.AWS_SECRET_ACCESS_KEY ?? '\0', '$SECRET'],
    [job.server.env.AWS_ACCESS_KEY_ID ?? '\0', '$KEY'],
    ...(contender.peer === undefined
      ? []
      : [[job.program(contender.peer), contender.peer === 'aws-cli' ? 'aws' : contender.peer] as const]),
  ];
  return contender
    .command(job)
    .map((word) => names.reduce((text, [from, to]) => text.replaceAll(from, to), word))
    .map((word) => (word === '' || / /.test(word) ? `'${word}'` : word))
    .join(' ');
}
