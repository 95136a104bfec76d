// The page's server: what it shows to whom, and that no address leads out of the source.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBelow } from '../../app/files/open-below.ts';
import { toBytePath } from '../../app/files/paths.ts';
import { parseRange } from '../../app/page/download.ts';
import { createRig } from '../support/mover-rig.ts';
import { DENIED } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';
import { servePage } from './serving.ts';

interface FileRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly sizeBytes: number;
  readonly object: { readonly key: string; readonly provedAtMs: number | null } | null;
  readonly goesAtMs: number | null;
  readonly trouble: { readonly reason: string } | null;
}

async function filesOf(url: string, search = ''): Promise<{ files: FileRow[]; next: string | null }> {
  const response = await fetch(`${url}/api/files?${search}`);
  assert.equal(response.status, 200, await response.clone().text());
  // Our own answer; what is used of it is asserted on.
  return (await response.json()) as { files: FileRow[]; next: string | null };
}

/** A request as it is written: `fetch` would straighten its path. */
function raw(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject).end();
  });
}

test('every file is shown with its state, its object, when it was proved and when it will go', async (t) => {
  const rig = await createRig(t, { settings: { retentionMs: 3_600_000 } });
  rig.write('first.dat', 'one');
  rig.write('sub/second.dat', 'two, longer');
  const mover = await rig.start();
  const { url } = await servePage(t, mover);
  await until(async () => (await filesOf(url, 'state=proved')).files.length === 2, 'both are proved');
  const beforeMs = Date.now();
  rig.write('young.dat', 'three');
  const { files } = await filesOf(url);
  const second = files.find(({ name }) => name === 'sub/second.dat');
  assert.equal(second?.object?.key, 'sub/second.dat');
  assert.equal(second?.sizeBytes, 11);
  assert.ok(Math.abs((second?.object?.provedAtMs ?? 0) - beforeMs) < 60_000);
  assert.ok((second?.goesAtMs ?? 0) > beforeMs + 3_500_000);
  await until(async () => (await filesOf(url)).files[0]?.name === 'young.dat', 'the newest comes first');
});

test('files are found by name, state and time, and page by page each exactly once', async (t) => {
  const rig = await createRig(t, { settings: { retentionMs: 3_600_000 } });
  for (let number = 0; number < 57; number += 1) rig.write(`d${number % 3}/File-${number}.dat`);
  const mover = await rig.start();
  await until(() => mover.snapshot().retained.files === 57, 'all are proved');
  const { url } = await servePage(t, mover);
  const names: string[] = [];
  let after = '';
  do {
    const page = await filesOf(url, `limit=10${after}`);
    names.push(...page.files.map(({ name }) => name));
    after = page.next === null ? '' : `&after=${encodeURIComponent(page.next)}`;
  } while (after !== '');
  assert.equal(names.length, 57);
  assert.equal(new Set(names).size, 57);
  assert.deepEqual(
    (await filesOf(url, 'name=file-41.')).files.map(({ name }) => name),
    ['d2/File-41.dat'],
  );
  assert.equal((await filesOf(url, 'name=d1/')).files.length, 19);
  assert.equal((await filesOf(url, 'state=failing')).files.length, 0);
  assert.equal((await filesOf(url, `since=${Date.now() + 60_000}`)).files.length, 0);
  assert.equal((await filesOf(url, `until=${Date.now() - 60_000}`)).files.length, 0);
  assert.equal((await fetch(`${url}/api/files?state=lost`)).status, 400);
  assert.equal((await fetch(`${url}/api/files?after=x`)).status, 400);
});

test('a file that fails is shown with its reason, and the status says what to do', async (t) => {
  const rig = await createRig(t);
  rig.write('refused.dat');
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: DENIED });
  const mover = await rig.start();
  const { url } = await servePage(t, mover);
  await until(async () => (await filesOf(url, 'state=failing')).files.length === 1, 'it fails');
  const [file] = (await filesOf(url, 'state=failing')).files;
  assert.equal(file?.trouble?.reason, 'denied');
  const status = await (await fetch(`${url}/api/status`)).text();
  assert.match(status, /the store refuses the role since \d\d:\d\d UTC \(AccessDenied\)/);
  assert.match(status, /s3:PutObject/);
});

test('bytes come whole, by range and under names that are not text', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  const mover = await rig.start();
  const name = Buffer.from([0x61, 0xff, 0x20, 0x22, 0x3c, 0x62]);
  writeFileSync(Buffer.concat([Buffer.from(`${rig.source}/`), name]), '0123456789');
  const { url } = await servePage(t, mover);
  await until(async () => (await filesOf(url)).files.length === 1, 'it is listed');
  const [file] = (await filesOf(url)).files;
  assert.equal(file?.name, 'a%FF "<b');
  const at = `${url}/api/file/${file?.id}`;
  const whole = await fetch(at);
  assert.equal(await whole.text(), '0123456789');
  assert.equal(whole.headers.get('content-type'), 'application/octet-stream');
  assert.match(whole.headers.get('content-disposition') ?? '', /^attachment; filename="a_FF _<b"; /);
  assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
  const part = await fetch(at, { headers: { range: 'bytes=2-4' } });
  assert.deepEqual(
    [part.status, await part.text(), part.headers.get('content-range')],
    [206, '234', 'bytes 2-4/10'],
  );
  assert.equal(await (await fetch(at, { headers: { range: 'bytes=-3' } })).text(), '789');
  assert.equal((await fetch(at, { headers: { range: 'bytes=10-' } })).status, 416);
  const other = { range: 'bytes=2-4', 'if-range': '"another state"' };
  assert.equal((await fetch(at, { headers: other })).status, 200, 'a file that changed is sent anew');
  const head = await fetch(at, { method: 'HEAD' });
  assert.deepEqual([head.headers.get('content-length'), await head.text()], ['10', '']);
});

test('a range is read as RFC 9110 says, and what cannot be read is no range', () => {
  assert.deepEqual(parseRange('bytes=0-0', 10), { start: 0, end: 0 });
  assert.deepEqual(parseRange('bytes=5-99', 10), { start: 5, end: 9 });
  assert.deepEqual(parseRange('bytes=-99', 10), { start: 0, end: 9 });
  assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 10), 'unsatisfiable');
  for (const none of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=4-2',
    'bytes=0-1,3-4',
    'lines=1-2',
    'bytes=a-b',
  ])
    assert.equal(parseRange(none, 10), undefined, String(none));
});

test('no address leads out of the source: not `..`, not a link, not a device, not a swap in the middle', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  writeFileSync(join(rig.directory, 'secret'), 'secret');
  mkdirSync(join(rig.source, 'dir'));
  writeFileSync(join(rig.source, 'dir', 'file'), 'fine');
  symlinkSync('../secret', join(rig.source, 'link'));
  symlinkSync('..', join(rig.source, 'up'));
  const mover = await rig.start();
  const { url } = await servePage(t, mover);
  const asked = (id: string) => raw(url, `/api/file/${id}`);
  assert.deepEqual(await asked('dir/file'), { status: 200, body: 'fine' });
  for (const id of [
    '../secret',
    '%2e%2e/secret',
    'dir/../../secret',
    '..%2fsecret',
    'link',
    'up/secret',
    'dir',
    'dir/',
    '/etc/passwd',
    '%2fetc/passwd',
    'dir//file',
    'dir/./file',
    'dir/file%00.txt',
    '%zz',
    'none',
    '%',
  ]) {
    const { status, body } = await asked(id);
    assert.ok([400, 404].includes(status), `${id}: ${status}`);
    assert.doesNotMatch(body, /^secret|root:/, id);
  }
  const root = toBytePath(rig.source);
  assert.equal(openBelow(root, 'up/secret'), undefined);
  // A directory becomes a link to elsewhere while it is asked for over and over.
  mkdirSync(join(rig.directory, 'elsewhere'));
  writeFileSync(join(rig.directory, 'elsewhere', 'file'), 'secret');
  for (let round = 0; round < 20; round += 1) {
    renameSync(join(rig.source, 'dir'), join(rig.directory, 'away'));
    symlinkSync(join(rig.directory, 'elsewhere'), join(rig.source, 'dir'));
    assert.equal((await asked('dir/file')).status, 404);
    rmSync(join(rig.source, 'dir'));
    renameSync(join(rig.directory, 'away'), join(rig.source, 'dir'));
    assert.equal((await asked('dir/file')).body, 'fine');
  }
});

test('over another name or without the password nothing but numbers, or nothing at all', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  rig.write('name-of-a-file');
  const mover = await rig.start();
  const local = await servePage(t, mover);
  await until(async () => (await filesOf(local.url)).files.length === 1, 'it is listed');
  // A page elsewhere whose name was made to lead to this address sends its own name.
  const rebound = { host: 'evil.example' };
  assert.equal((await raw(local.url, '/api/files', rebound)).status, 403);
  assert.equal((await raw(local.url, '/api/file/name-of-a-file', rebound)).status, 403);
  const numbers = await raw(local.url, '/api/status', rebound);
  assert.equal(numbers.status, 200);
  assert.doesNotMatch(numbers.body, /name-of-a-file/);
  const token = 'correct-horse-battery';
  const closed = await servePage(t, mover, { access: { mode: 'open', token } });
  for (const path of [
    '/',
    '/page/app.js',
    '/api/status',
    '/api/live',
    '/api/files',
    '/api/file/name-of-a-file',
  ])
    for (const authorization of ['', 'Bearer wrong', `Basic ${Buffer.from('me:wrong').toString('base64')}`])
      assert.equal((await raw(closed.url, path, { authorization })).status, 401, path);
  const basic = `Basic ${Buffer.from(`me:${token}`).toString('base64')}`;
  for (const authorization of [`Bearer ${token}`, basic])
    assert.equal((await raw(closed.url, '/api/files', { authorization })).status, 200);
});

test('every answer is read-only, unsniffable and closed to other sites', async (t) => {
  const rig = await createRig(t);
  const { url } = await servePage(t, await rig.start());
  for (const path of [
    '/',
    '/page/app.css',
    '/page/uplot.js',
    '/api/status',
    '/api/files',
    '/api/file/none',
  ]) {
    const response = await fetch(url + path);
    await response.arrayBuffer();
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/, path);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.equal((await fetch(url + path, { method: 'POST', body: 'x' })).status, 405);
  }
  assert.equal((await fetch(`${url}/page/../secret`)).status, 404);
  assert.equal((await fetch(`${url}/page/assets.ts`)).status, 404);
});

test('the stream tells each second what is new, has room for some, and ends its work with the last reader', async (t) => {
  const rig = await createRig(t);
  const { url, page } = await servePage(t, await rig.start());
  const stop = new AbortController();
  t.after(() => stop.abort());
  const response = await fetch(`${url}/api/live`, { signal: stop.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk);
    if ((text.match(/^data: /gm) ?? []).length >= 2) break;
  }
  assert.match(text, /^data: \{"version"/m);
  await until(() => page.watchers === 0, 'the reader is gone');
  const many = await Promise.all(
    Array.from({ length: 18 }, () => fetch(`${url}/api/live`, { signal: stop.signal })),
  );
  assert.equal(many.filter(({ status }) => status === 200).length, 16);
  assert.equal((await fetch(`${url}/livez`)).status, 200, 'probes find a connection');
  stop.abort();
  await until(() => page.watchers === 0, 'all readers are gone');
});

test('the whole page is smaller than 150 KB and asks nobody else for anything', async (t) => {
  const rig = await createRig(t);
  const { url } = await servePage(t, await rig.start());
  const html = await (await fetch(`${url}/`)).text();
  const names = [
    'app.css',
    'app.js',
    'chart.js',
    'files.js',
    'format.js',
    'preview.js',
    'show.js',
    'uplot.js',
    'uplot.css',
  ];
  const texts = await Promise.all(names.map(async (name) => (await fetch(`${url}/page/${name}`)).text()));
  const bytes = [html, ...texts].reduce((all, text) => all + Buffer.byteLength(text), 0);
  assert.ok(bytes > 50_000 && bytes < 150_000, `${bytes} bytes`);
  for (const text of [html, ...texts.slice(0, 7)]) assert.doesNotMatch(text, /https?:\/\//);
});
