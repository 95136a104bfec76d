// A real S3 server of another make for tests: finds or installs versitygw, starts it on a free port, and never leaves it.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findGoProgram } from './go-program.ts';
import { until } from './temp.ts';

export interface Versitygw {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** The bucket's objects lie below as plain files. */
  readonly dataDir: string;
  /** What it knows of each object, below the object's path. */
  readonly metaDir: string;
  stop(): Promise<void>;
}

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';
const ACCESS_KEY_ID = 'ferry-test-root';
const SECRET_ACCESS_KEY = 'ferry-test-secret';
const BUCKET = 'ferry-test';
/** The pipe to this shell closes however our process ends, SIGKILL included: then the server goes, and its directory. */
const KEEPER = '"$0" "$@" & server=$!; cat >/dev/null; kill -9 $server; wait; rm -rf "$FERRY_TEST_DIRECTORY"';
const START_DEADLINE_MS = 60_000;

/** Starts one with an empty bucket of its own; `missing` says what this machine lacks, for `t.skip`. */
export async function startVersitygw(): Promise<Versitygw | { readonly missing: string }> {
  const found = await findVersitygw();
  if (typeof found !== 'string') return found;
  const directory = await mkdtemp(join(tmpdir(), 'ferry-versitygw-'));
  const dataDir = join(directory, 'data');
  const metaDir = join(directory, 'meta');
  await mkdir(join(dataDir, BUCKET), { recursive: true });
  await mkdir(metaDir);
  const port = await freePort();
  const child = spawn(
    '/bin/sh',
    ['-c', KEEPER, found, '--port', `127.0.0.1:${port}`, 'posix', '--sidecar', metaDir, dataDir],
    {
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: ACCESS_KEY_ID,
        ROOT_SECRET_KEY: SECRET_ACCESS_KEY,
        FERRY_TEST_DIRECTORY: directory,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  try {
    await until(() => answers(port), 'versitygw listens', START_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw new Error(`versitygw did not start: ${output}`, { cause: error });
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    region: 'us-east-1',
    dataDir: join(dataDir, BUCKET),
    metaDir: join(metaDir, BUCKET),
    stop,
  };
}

export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No TCP port is free.');
  return address.port;
}

/** The path of the program, installed if there is Go and it is not there yet. */
export function findVersitygw(): Promise<string | { readonly missing: string }> {
  return findGoProgram('versitygw', MODULE);
}
