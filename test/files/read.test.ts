// What is read is the file that was looked at, or it is not sent.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { partSizeBytes, SINGLE_PUT_MAX_BYTES } from '../../app/core/store.ts';
import {
  digestFile,
  openChecked,
  openLarge,
  ReadError,
  type ReadFault,
  readSmall,
  sha256OfParts,
} from '../../app/files/read.ts';
import { tempDir } from '../support/temp.ts';
import { md5, sha256 } from './array-store.ts';
import { openToAll, runChild } from './child.ts';

const fault = (expected: ReadFault) => (error: unknown) =>
  error instanceof ReadError && error.fault === expected;

test('a file is read whole with its hash, also an empty and a sparse one', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  for (const body of [Buffer.from('content'), Buffer.alloc(0), Buffer.alloc(70_000, 7)]) {
    writeFileSync(path, body);
    const read = readSmall(path, lstatSync(path));
    assert.equal(read.body.equals(body), true);
    assert.equal(read.sha256, sha256(body));
  }
  writeFileSync(path, '');
  truncateSync(path, 300_000);
  assert.equal(readSmall(path, lstatSync(path)).body.equals(Buffer.alloc(300_000)), true);
});

test('a file that is not as it was looked at is not read', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  const changes: Record<string, () => void> = {
    longer: () => appendFileSync(path, '!'),
    shorter: () => truncateSync(path, 3),
    'another under the same name': () => {
      writeFileSync(`${path}.new`, 'content');
      renameSync(`${path}.new`, path);
    },
    'other times': () => utimesSync(path, 1, 1),
    'another mode': () => chmodSync(path, 0o600),
    'a link': () => {
      renameSync(path, `${path}.old`);
      symlinkSync(`${path}.old`, path);
    },
    'a pipe': () => {
      unlinkSync(path);
      spawnSync('mkfifo', [path]);
    },
    'a directory': () => {
      unlinkSync(path);
      mkdirSync(path);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    writeFileSync(path, 'content', { flush: true });
    const looked = lstatSync(path);
    // The kernel's times move in ticks of a few milliseconds.
    const startedMs = Date.now();
    while (Date.now() - startedMs < 15);
    change();
    assert.throws(() => readSmall(path, looked), fault('changed'), name);
    if (lstatSync(path).isDirectory()) break;
    unlinkSync(path);
  }
  assert.ok(readdirSync('/proc/self/fd').length < 60);
});

test('a file that changes between open and end is found out', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  writeFileSync(path, 'content');
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  const file = openChecked(path, lstatSync(path));
  file.verify();
  appendFileSync(path, '!');
  assert.throws(() => file.verify(), fault('changed'));
  truncateSync(path, 2);
  assert.throws(() => file.read(Buffer.alloc(7), 0, 7), fault('changed'), 'it ended before its size');
  file.close();
});

test('what is gone is gone, whatever took its directory', async (t) => {
  const directory = await tempDir(t);
  writeFileSync(join(directory, 'file'), '');
  const stat = lstatSync(join(directory, 'file'));
  for (const path of ['none', 'none/file', 'file/below'])
    assert.throws(() => readSmall(join(directory, path), stat), fault('vanished'), path);
});

test('a file its owner keeps to himself is unreadable; without descriptors any is busy', async (t) => {
  const directory = await tempDir(t);
  openToAll(directory);
  const path = join(directory, 'file');
  writeFileSync(path, 'secret', { mode: 0o600 });
  const code = `
    const { readSmall } = await import(app('files/read.ts'));
    const { lstatSync, openSync } = await import('node:fs');
    const stat = lstatSync(args[0]);
    if (args[1] === 'use up') try { for (;;) openSync('/dev/null'); } catch {}
    try { readSmall(args[0], stat); } catch (error) { console.log(error.fault); }
  `;
  chmodSync(path, 0o000);
  assert.equal(runChild(code, [path], { plain: true }).stdout, 'unreadable\n');
  chmodSync(path, 0o644);
  assert.equal(runChild(code, [path, 'use up'], { maxOpenFiles: 60 }).stdout, 'busy\n');
});

test('a large file gives the digests its upload will have, and its parts in any order', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  const body = Buffer.alloc(SINGLE_PUT_MAX_BYTES * 2 + 12_345, 'large ');
  writeFileSync(path, body);
  const stat = lstatSync(path);
  const partBytes = partSizeBytes(body.length);
  const parts = [0, 1, 2].map((part) => body.subarray(part * partBytes, (part + 1) * partBytes));
  const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(md5(part), 'hex'))))}-3`;
  const digest = sha256(Buffer.concat(parts.map((part) => Buffer.from(sha256(part), 'hex'))));
  assert.deepEqual(await digestFile(path, stat), { sha256: digest, etag });
  assert.equal(sha256OfParts(parts.map(sha256)), digest);
  const large = openLarge(path, stat, () => {});
  for (const part of [1, 0, 2, 1]) {
    assert.ok(large.read(part * partBytes, parts[part]?.length ?? 0).equals(parts[part] ?? Buffer.alloc(0)));
  }
  large.beforeCommit();
  appendFileSync(path, '!');
  assert.throws(() => large.beforeCommit(), fault('changed'));
  large.close();
});

test('a large file that changes under its digests gives none', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  writeFileSync(path, Buffer.alloc(SINGLE_PUT_MAX_BYTES + 1));
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  const digests = digestFile(path, lstatSync(path));
  appendFileSync(path, '!');
  await assert.rejects(digests, fault('changed'));
});
