// What moving costs: processor and memory of `ferry files` alone, the server being another process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { bundle } from '../../app/bundle.ts';
import { ROOT } from '../support/cli.ts';
import { cpuMs, peakRssBytes, spawnFerry } from '../support/ferry-child.ts';
import { imageCommand } from '../support/image.ts';
import { until } from '../support/temp.ts';

const directory = mkdtempSync(join(tmpdir(), 'ferry-bundle-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const built = await bundle(join(directory, 'app'));
/** The shipped bundle with the image's flags. */
const program = imageCommand(built.program);

interface Place {
  readonly source: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A server process with so many objects, an empty source, and the words that move one to the other. */
async function place(t: TestContext, objects = 0): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'ferry-numbers-'));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const script = join(ROOT, 'test/support/null-server.ts');
  const server = spawn(process.execPath, [script, String(objects)], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => server.stdin.end());
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => said.includes('\n'), 'the server says its address', 60_000);
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = JSON.parse(said) as Record<
    string,
    string
  >;
  const source = join(directory, 'source');
  mkdirSync(source);
  const words = ['files', '--source', source, '--state', join(directory, 'state'), '--to', `s3://${bucket}`];
  return {
    source,
    words: [
      ...words,
      '--endpoint',
      endpoint ?? '',
      '--path-style',
      '--listen',
      '127.0.0.1:0',
      '--summary-every',
      '1s',
    ],
    env: {
      AWS_ACCESS_KEY_ID: accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey ?? '',
      AWS_REGION: region ?? '',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

function makeFiles(source: string, count: number, sizeBytes: number, name = 'file'): void {
  const body = Buffer.alloc(sizeBytes, 'x');
  for (let number = 0; number < count; number += 1) {
    const directory = join(source, `d${Math.floor(number / 1_000)}`);
    if (number % 1_000 === 0) mkdirSync(directory, { recursive: true });
    body.write(`${name}-${number} `);
    writeFileSync(join(directory, `${name}-${String(number).padStart(7, '0')}`), body);
  }
}

/** The last summary line's field. */
function field(stdout: string, name: string): number {
  const found = [...stdout.matchAll(new RegExp(`"${name}":(\\d+)`, 'g'))].at(-1);
  return Number(found?.[1] ?? -1);
}

/** What `slowness` needs of a core of the machine that the figures below were set on. */
const REFERENCE_MS = 330;

/** How much longer a core of this machine needs, as busy as it is now, for the same work; at least 1. */
function slowness(): number {
  const began = process.cpuUsage();
  let digest = '';
  for (let number = 0; number < 200_000; number += 1)
    digest = hash('sha256', `${digest}${number}`.padEnd(1_000, 'x'), 'hex');
  const { user, system } = process.cpuUsage(began);
  return Math.max(1, (user + system) / 1_000 / REFERENCE_MS);
}

const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`;

test('12 files of 1 KB a second beside 5,000 retained ones cost less than 2 % of a core', async (t) => {
  const { source, words, env } = await place(t);
  makeFiles(source, 5_000, 1_000, 'retained');
  const run = spawnFerry(t, words, { env, program });
  await until(() => field(run.stdout(), 'retainedFiles') === 5_000, 'the retained ones are proved', 300_000);
  const began = { cpuMs: cpuMs(run.pid), atMs: performance.now() };
  const seconds = 30;
  mkdirSync(join(source, 'live'));
  let number = 0;
  const timer = setInterval(() => {
    number += 1;
    writeFileSync(join(source, 'live', `file-${number}`), Buffer.alloc(1_000, String(number)));
  }, 1_000 / 12);
  await until(() => performance.now() - began.atMs >= seconds * 1_000, 'half a minute is over', 60_000);
  clearInterval(timer);
  const share = (cpuMs(run.pid) - began.cpuMs) / (performance.now() - began.atMs);
  await until(() => field(run.stdout(), 'sentFiles') === 5_000 + number, 'all are sent', 120_000);
  const slower = slowness();
  const text = `${(share * 100).toFixed(2)} % of a core that is ${slower.toFixed(2)} times slower`;
  t.diagnostic(`${number} files in ${seconds} s: ${text} (${machine})`);
  assert.ok(share < 0.02 * slower, text);
});

test('5,000 files of 13 KB cost less than 10 s of processor time', async (t) => {
  const { source, words, env } = await place(t);
  makeFiles(source, 5_000, 13_000);
  const run = spawnFerry(t, [...words, '--settle', '100ms'], { env, program });
  await until(() => field(run.stdout(), 'sentFiles') === 5_000, 'all are sent', 300_000);
  const spentMs = cpuMs(run.pid);
  t.diagnostic(
    `5,000 files of 13 KB: ${(spentMs / 1_000).toFixed(2)} s of processor time with the start (${machine})`,
  );
  assert.ok(spentMs < 10_000, `${spentMs} ms`);
});

test('100,000 files of 1 KB are moved with less than 128 MB resident', async (t) => {
  const { source, words, env } = await place(t);
  makeFiles(source, 100_000, 1_000);
  const run = spawnFerry(t, [...words, '--settle', '100ms', '--prove-every', '5s'], { env, program });
  await until(() => field(run.stdout(), 'retainedFiles') === 100_000, 'all are sent and proved', 600_000);
  const peak = peakRssBytes(run.pid);
  const spentMs = cpuMs(run.pid);
  t.diagnostic(
    `100,000 files of 1 KB: peak ${(peak / 1e6).toFixed(0)} MB, ${(spentMs / 1_000).toFixed(1)} s of CPU`,
  );
  assert.ok(peak < 128e6, `${(peak / 1e6).toFixed(0)} MB`);
});

test('a listing of 100,000 foreign objects is merged without memory growth', async (t) => {
  const few = await listed(t, 1_000);
  const many = await listed(t, 100_000);
  const grownMb = (many - few) / 1e6;
  t.diagnostic(
    `peak beside 1,000 objects ${(few / 1e6).toFixed(0)} MB, beside 100,000 ${(many / 1e6).toFixed(0)} MB`,
  );
  assert.ok(grownMb < 25, `${grownMb.toFixed(0)} MB more for 99,000 more objects`);
});

/** Peak memory of a start without memory beside so many objects, spread so that every page of the listing is read. */
async function listed(t: TestContext, objects: number): Promise<number> {
  const { source, words, env } = await place(t, objects);
  // One local file between each thousand of the listed: no page can be skipped.
  for (let number = 0; number < objects; number += 500) {
    writeFileSync(join(source, `file-${String(number).padStart(7, '0')}x`), `local ${number}`);
  }
  const run = spawnFerry(t, [...words, '--key', '{path}', '--settle', '100ms'], { env, program });
  await until(() => field(run.stdout(), 'retainedFiles') === objects / 500, 'all are proved', 300_000);
  return peakRssBytes(run.pid);
}
