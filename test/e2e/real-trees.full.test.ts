// Real directories as a distribution makes them, copied and compared byte for byte.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { spawnFerry } from '../support/ferry-child.ts';
import { startVersitygw } from '../support/versitygw.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ferry-real-'));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Paths of regular files below, relative, as bytes in latin1. */
function* regularFiles(directory: string, below = ''): Generator<string> {
  const here = Buffer.from(below === '' ? directory : `${directory}/${below}`, 'latin1');
  for (const entry of readdirSync(here, { withFileTypes: true, encoding: 'buffer' })) {
    const path = below === '' ? entry.name.toString('latin1') : `${below}/${entry.name.toString('latin1')}`;
    if (entry.isDirectory()) yield* regularFiles(directory, path);
    else if (entry.isFile()) yield path;
  }
}

const hashOf = (path: string): string =>
  createHash('sha256')
    .update(readFileSync(Buffer.from(path, 'latin1')))
    .digest('hex');

/** Compares both sides byte for byte and answers the counts; names that are no UTF-8 have another name there. */
function compare(source: string, copy: string): { files: number; otherNames: number; wrong: string[] } {
  const wrong: string[] = [];
  let files = 0;
  let otherNames = 0;
  for (const path of regularFiles(source)) {
    files += 1;
    const bytes = Buffer.from(path, 'latin1');
    if (!Buffer.from(bytes.toString('utf8')).equals(bytes)) otherNames += 1;
    else if (!existsSync(Buffer.from(`${copy}/${path}`, 'latin1'))) wrong.push(`missing: ${path}`);
    else if (hashOf(`${source}/${path}`) !== hashOf(`${copy}/${path}`)) wrong.push(`differs: ${path}`);
  }
  return { files, otherNames, wrong };
}

/** What a run warned of and how it ended, for the message of a test that fails. */
const troubles = (stdout: string): string =>
  stdout
    .trimEnd()
    .split('\n')
    .filter((line, index, lines) => !line.includes('"level":"info"') || index === lines.length - 1)
    .map((line) => line.slice(0, 400))
    .join('\n');

for (const source of ['/usr/share', '/usr/lib']) {
  test(`every regular file below ${source} is copied to a folder byte for byte`, async (t) => {
    const directory = scratch(t);
    const bucket = join(directory, 'bucket');
    const words = ['files', '--once', '--keep', '--source', source, '--to', bucket, '--key', '{path}'];
    const run = spawnFerry(t, [...words, '--state', join(directory, 'state'), '--settle', '0']);
    const startedMs = performance.now();
    const { exit, stdout, stderr } = await run.ended;
    const seconds = (performance.now() - startedMs) / 1_000;
    const { files, otherNames, wrong } = compare(source, bucket);
    t.diagnostic(
      `${source}: ${files} files in ${seconds.toFixed(0)} s, ${otherNames} with names that are no UTF-8`,
    );
    assert.deepEqual(wrong.slice(0, 5), []);
    assert.equal(exit, 0, stderr.slice(0, 300) + troubles(stdout));
  });
}

test('a sample of real files goes to another S3 server and is there byte for byte', async (t) => {
  const server = await startVersitygw();
  if ('missing' in server) return t.skip(server.missing);
  t.after(() => server.stop());
  const directory = scratch(t);
  const source = join(directory, 'source');
  mkdirSync(source);
  for (const name of ['doc', 'zoneinfo', 'perl']) {
    const from = join('/usr/share', name);
    if (existsSync(from)) cpSync(from, join(source, name), { recursive: true, verbatimSymlinks: true });
  }
  const words = ['files', '--once', '--keep', '--source', source, '--to', `s3://${server.bucket}`];
  const flags = ['--endpoint', server.endpoint, '--path-style', '--key', '{path}', '--settle', '0'];
  const run = spawnFerry(t, [...words, ...flags, '--state', join(directory, 'state')], {
    env: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
    },
  });
  const { exit, stderr } = await run.ended;
  const { files, wrong } = compare(source, server.dataDir);
  t.diagnostic(`${files} files`);
  assert.ok(files > 500);
  assert.deepEqual(wrong.slice(0, 5), []);
  assert.equal(exit, 0, stderr.slice(0, 300));
});
