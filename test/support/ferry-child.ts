// `ferry files` as a process of its own against the strict S3 server: with another user, fewer descriptors, and signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CliResult, COMPILED, collect, ROOT } from './cli.ts';
import type { S3Server } from './s3/server.ts';

const MAIN = join(ROOT, 'app/main.ts');

/** `nobody`: the user that processes without privileges run as. */
export const NOBODY = 65_534;

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** A program with arguments that runs node, e.g. `['prlimit', '--nofile=64']`. */
  readonly wrapper?: readonly string[];
  readonly cwd?: string;
  /** Node and the program. @default this Node and app/main.ts; `imageCommand(bundle)` for what is shipped */
  readonly program?: readonly string[];
}

export interface FerryChild {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** Killed at the end of the test if it still runs. */
export function spawnFerry(
  t: Pick<TestContext, 'after'>,
  words: readonly string[],
  options: ChildOptions = {},
): FerryChild {
  const command = [...(options.wrapper ?? []), ...(options.program ?? [process.execPath, MAIN]), ...words];
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: options.cwd ?? ROOT,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: '/nonexistent',
      NO_COLOR: '1',
      ...(options.program === undefined ? COMPILED : {}),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const { output, ended } = collect(child);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    pid: child.pid ?? -1,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
  };
}

/** What `ferry files` moves and where to: a rig. */
export interface FilesPlace {
  readonly source: string;
  readonly state: string;
  readonly server: S3Server;
}

/** `ferry files` from a rig's source to its server, settling within 100 ms; later flags win. */
export function spawnFiles(
  t: Pick<TestContext, 'after'>,
  { source, state, server }: FilesPlace,
  flags: readonly string[],
  options: ChildOptions = {},
): FerryChild {
  const words = ['files', '--source', source, '--state', state, '--settle', '100ms', ...toServer(server)];
  return spawnFerry(t, [...words, ...flags], { env: credentialsOf(server), ...options });
}

/** Flags that name this server's bucket. */
export function toServer(server: S3Server, prefix = ''): string[] {
  return ['--to', `s3://${server.bucket}${prefix}`, '--endpoint', server.endpoint, '--path-style'];
}

export function credentialsOf(server: S3Server): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: server.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** User and system time of a process so far, milliseconds (proc(5): ticks of 10 ms). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory the process has had resident so far, bytes. */
export function peakRssBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1_024;
}
