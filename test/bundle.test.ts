import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { maxHeaderSize } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, type TestContext, test } from 'node:test';
import { bundle } from '../app/bundle.ts';
import { connectProxy } from './support/s3/connect-proxy.ts';
import { startS3Server } from './support/s3/server.ts';
import { selfSigned } from './support/s3/tls.ts';
import { tempDir, until } from './support/temp.ts';

/** The image's user. */
const UID = 65_532;
const ROOT = join(import.meta.dirname, '..');
const isRoot = process.getuid?.() === 0;
const asUser = isRoot ? { uid: UID, gid: UID } : {};

const buildDirectory = mkdtempSync(join(tmpdir(), 'ferry-bundle-'));
after(() => rmSync(buildDirectory, { recursive: true }));
let built: ReturnType<typeof bundle> | undefined;

/** The bundle in a directory of its own that only root could write, and a directory for data beside it. */
async function ship(t: TestContext) {
  const directory = await tempDir(t);
  const app = join(directory, 'app');
  const program = join(app, 'ferry.mjs');
  built ??= bundle(buildDirectory);
  const { bytes } = await built;
  cpSync(buildDirectory, app, { recursive: true });
  for (const name of readdirSync(app, { recursive: true, encoding: 'utf8' }))
    chmodSync(join(app, name), statSync(join(app, name)).isDirectory() ? 0o555 : 0o444);
  const data = join(directory, 'data');
  for (const path of [data, join(data, 'source'), join(data, 'to'), join(data, 'state')]) {
    mkdirSync(path);
    if (isRoot) chownSync(path, UID, UID);
  }
  chmodSync(directory, 0o755);
  const move = [
    'files',
    '--source',
    join(data, 'source'),
    '--to',
    join(data, 'to'),
    '--state',
    join(data, 'state'),
  ];
  return { program, bytes, data, move };
}

/** A file that came a minute ago. */
function arrive(data: string, name: string): void {
  const path = join(data, 'source', name);
  writeFileSync(path, 'content of a file\n');
  if (isRoot) chownSync(path, UID, UID);
  const past = Date.now() / 1_000 - 60;
  utimesSync(path, past, past);
}

/** Files in the folder that stands in for the bucket, hidden ones left out. */
function arrived(data: string): string[] {
  return readdirSync(join(data, 'to'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.dat') && !/(^|\/)\./.test(path),
  );
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
}

test('the bundle runs from any directory with an empty environment', async (t) => {
  const { program, bytes, data } = await ship(t);
  assert.ok(bytes < 8 * 2 ** 20, `${bytes} bytes`);
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [program, ...words], { cwd: '/', env: {}, encoding: 'utf8', ...asUser });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.equal(run('--version').trim(), version);
  assert.match(run('files', '--help'), /--source/);
  const wrong = spawnSync(process.execPath, [program, 'files', '--sauce', 'x'], {
    cwd: data,
    env: {},
    ...asUser,
  });
  assert.equal(wrong.status, 2, String(wrong.stderr));
});

test('the bundle moves files through a proxy', async (t) => {
  const tls = await selfSigned(t);
  if (!tls) return t.skip('needs openssl');
  const { program, data } = await ship(t);
  arrive(data, 'a.dat');
  const server = await startS3Server({ tls });
  t.after(() => server.close());
  const proxy = await connectProxy(t);
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
  const child = spawn(
    process.execPath,
    [
      ...[program, 'files', '--source', join(data, 'source'), '--state', join(data, 'state'), '--once'],
      ...['--to', `s3://${bucket}/p`, '--endpoint', endpoint, '--path-style', '--settle', '100ms'],
    ],
    {
      env: {
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        HTTPS_PROXY: proxy.url,
        AWS_CA_BUNDLE: tls.certFile,
      },
    },
  );
  t.after(() => child.kill('SIGKILL'));
  const output = collect(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  assert.equal(code, 0, output());
  assert.match(output(), /1 files sent/);
  assert.deepEqual(new Set(proxy.targets), new Set([new URL(endpoint).host]));
});

test('the bundle loads what it needs: neither its own sources at twice their size nor what of Node nobody uses', async (t) => {
  const { program, data, move } = await ship(t);
  const parts = readdirSync(join(program, '..'), { recursive: true, encoding: 'utf8' });
  const sources = parts.filter((name) => name.endsWith('.mjs'));
  assert.ok(sources.length > 1, 'more than one part');
  for (const name of sources) {
    const text = readFileSync(join(program, '..', name), 'utf8');
    assert.equal(Buffer.byteLength(text), text.length, `${name} is ASCII`);
  }
  const server = await startS3Server({ deny: ['read', 'delete'] });
  t.after(() => server.close());
  arrive(data, 'a.dat');
  const tell = join(data, 'tell.cjs');
  writeFileSync(
    tell,
    'process.on("exit", () => console.log("loaded:", JSON.stringify(process.moduleLoadList)))',
  );
  const loadedBy = async (
    ...words: string[]
  ): Promise<{ code: unknown; text: string; loaded: unknown[] }> => {
    const env = {
      HOME: '/',
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      // Otherwise a file is asked for it.
      AWS_REGION: 'us-east-1',
    };
    const child = spawn(process.execPath, ['--require', tell, program, ...words], {
      ...{ cwd: '/', env },
      ...asUser,
    });
    const output = collect(child);
    const code = await new Promise((resolve) => child.once('close', resolve));
    const loaded: unknown = JSON.parse(/loaded: (.*)/.exec(output())?.[1] ?? '[]');
    assert.ok(Array.isArray(loaded));
    return { code, text: output(), loaded };
  };
  const to = ['--to', `s3://${server.bucket}/x`, '--endpoint', server.endpoint, '--path-style'];
  const files = await loadedBy(...move, ...to, '--settle', '1s', '--once', '--listen', '127.0.0.1:0');
  assert.equal(files.code, 0, files.text);
  assert.match(files.text, /done: 1 files sent/);
  assert.ok(files.loaded.includes('NativeModule http'), 'it listens');
  const unread = ['internal/util/parse_args/parse_args', 'internal/util/diff', 'internal/process/report'];
  const unused = [
    'internal/deps/undici/undici',
    'http2',
    'https',
    'tls',
    'perf_hooks',
    'internal/repl/history',
  ];
  for (const name of [...unused, ...unread, 'worker_threads', 'internal/webstreams/readablestream'])
    assert.ok(!files.loaded.includes(`NativeModule ${name}`), name);
  assert.equal(maxHeaderSize, 16_384, 'what undici is told');

  const events = await loadedBy('events', 'status', '--config', join(data, 'none.yaml'));
  assert.equal(events.code, 2, events.text);
  assert.ok(events.loaded.includes('NativeModule zlib'), 'the events mover is loaded');
  for (const name of [...unread, 'worker_threads'])
    assert.ok(!events.loaded.includes(`NativeModule ${name}`), `${name} by events`);
});

test('the bundle holds what is loaded late: the doctor finds credentials, signs with them and reads an odd listing', async (t) => {
  const { program, data } = await ship(t);
  const server = await startS3Server({ deny: ['read', 'delete'] });
  t.after(() => server.close());
  server.faults.add({ when: ({ op }) => op === 'ListObjectsV2', do: { kind: 'listing', lie: 'odd' } });
  const words = ['doctor', '--json', '--to', `s3://${server.bucket}/x`, '--endpoint', server.endpoint];
  const child = spawn(process.execPath, [program, ...words, '--state', join(data, 'state')], {
    cwd: '/',
    // A container runtime sets HOME to / for a user it does not know.
    env: { HOME: '/', AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    ...asUser,
  });
  const output = collect(child);
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, output());
  assert.match(output(), /the environment \(AWS_ACCESS_KEY_ID\)/);
  assert.match(output(), /"check": "s3.proof",\s+"level": "ok"/);
});

test('the bundle moves files as a user who owns nothing but the data', async (t) => {
  const { program, data, move } = await ship(t);
  arrive(data, 'one.dat');
  const result = spawnSync(process.execPath, [program, ...move, '--once', '--settle', '100ms'], {
    cwd: '/',
    env: {},
    encoding: 'utf8',
    timeout: 120_000,
    ...asUser,
  });
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.equal(arrived(data).length, 1, result.stdout + result.stderr);
});

test('as process 1 on a read-only root, SIGTERM ends it with 0', async (t) => {
  // Only root may make its root read-only; the namespaces vanish with the processes.
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  if (!isRoot || spawnSync('unshare', [...namespaces, 'true']).status !== 0) return t.skip('needs unshare');
  if (spawnSync('setpriv', ['--version']).status !== 0) return t.skip('needs setpriv');
  const { program, data, move } = await ship(t);
  arrive(data, 'one.dat');
  const script = [
    'mount --bind "$DATA" "$DATA" && mount -o remount,bind,ro / || exit 70',
    'touch "$PROGRAM.x" 2>/dev/null && exit 71',
    `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --no-new-privs "$@"`,
  ].join('\n');
  const words = [process.execPath, program, ...move, '--settle', '100ms', '--listen', '127.0.0.1:0'];
  const child = spawn('unshare', [...namespaces, 'sh', '-c', script, 'sh', ...words], {
    cwd: '/',
    env: { PATH: process.env.PATH, DATA: data, PROGRAM: program },
  });
  t.after(() => child.kill('SIGKILL'));
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until(() => arrived(data).length === 1 || child.exitCode !== null, 'the file has arrived');
  assert.equal(child.exitCode, null, output());
  const inner = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  assert.match(readFileSync(`/proc/${inner}/status`, 'utf8'), /^NSpid:\t\d+\t1$/m);
  assert.match(readFileSync(`/proc/${inner}/status`, 'utf8'), new RegExp(`^Uid:\t${UID}\t`, 'm'));
  process.kill(inner, 'SIGTERM');
  assert.equal(await ended, 0, output());
});

test('the image runs the bundle as a user without rights, and no shell stands between it and the signals', () => {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.findLastIndex((line) => line.startsWith('FROM '));
  const image = lines.slice(last);
  const value = (instruction: string) =>
    image.find((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);
  assert.match(image[0] ?? '', /^FROM gcr\.io\/distroless\/nodejs24-debian13:nonroot$/);
  for (const line of lines.filter((one) => one.startsWith('FROM '))) {
    assert.match(line, /^FROM \S+:\S+/, 'a tag that names a version');
    assert.doesNotMatch(line, /:latest/);
  }
  assert.match(value('USER') ?? '', /^65532(:65532)?$/);
  const entrypoint: unknown = JSON.parse(value('ENTRYPOINT') ?? '');
  assert.ok(Array.isArray(entrypoint));
  assert.equal(entrypoint[0], '/nodejs/bin/node');
  assert.equal(entrypoint.at(-1), '/app/ferry.mjs');
  for (const flag of entrypoint.slice(1, -1)) assert.match(String(flag), /^--[a-z0-9-]+(=\d+)?$/);
  assert.deepEqual(JSON.parse(value('CMD') ?? ''), ['files']);
  for (const line of lines.filter((one) => /^(RUN|CMD|ENTRYPOINT) /.test(one))) {
    assert.match(line, /^\w+ \[".*"\]$/, 'the exec form, no shell');
  }
  assert.equal(image.filter((line) => line.startsWith('RUN ')).length, 0);
  assert.match(value('ENV') ?? '', /FERRY_LISTEN=0\.0\.0\.0:9464 .*FERRY_STATE=\/var\/lib\/ferry/);
  const copied = image.filter((line) => line.startsWith('COPY ')).map((line) => line.split(' ').at(-1));
  assert.deepEqual(copied, ['/app', '/var/lib/ferry']);
  assert.doesNotMatch(lines.join('\n'), /AWS_|SECRET|TOKEN|PASSWORD/i);
});

test('only what the build copies is sent to the builder', () => {
  const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  assert.equal(
    ignored.find((line) => line !== '' && !line.startsWith('#')),
    '*',
  );
  const copied = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  for (const [, names = ''] of copied) {
    for (const name of names.split(' ')) assert.ok(ignored.includes(`!${name}`), name);
  }
});
