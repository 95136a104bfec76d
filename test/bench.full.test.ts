import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import { bundle } from '../app/bundle.ts';
import { compareKeys } from '../app/core/store.ts';
import { CASES, QUICK_CASE } from '../bench/cases.ts';
import { chart } from '../bench/chart.ts';
import { worseRatios } from '../bench/check.ts';
import type { Contender } from '../bench/contenders.ts';
import { eventsSection } from '../bench/events.ts';
import { measure } from '../bench/measure.ts';
import { createObjects, decodeAwsChunks } from '../bench/null-s3-objects.ts';
import { markdown, table } from '../bench/report.ts';
import {
  type CaseResult,
  cpuRatios,
  dollars,
  median,
  type Report,
  type Run,
  summarize,
  withCases,
} from '../bench/results.ts';
import { refuseLeft, refuseLoss, runCase } from '../bench/rounds.ts';
import { countLog, startNullS3 } from '../bench/servers.ts';
import { makeSource } from '../bench/sources.ts';
import { imageCommand } from './support/image.ts';
import { tempDir } from './support/temp.ts';

const ROOT = join(import.meta.dirname, '..');

const run = (cpuMs: number, requests: Run['requests'] = { PUT: 10 }): Run => ({
  userMs: cpuMs,
  systemMs: 0,
  wallMs: 1_000,
  peakRssBytes: 1,
  peakAnonBytes: undefined,
  requests,
});

function caseOf(cpuMs: Readonly<Record<string, readonly number[]>>, name = 'small'): CaseResult {
  return {
    ...{ name, title: 'ten & <few> files', files: 10, sizeBytes: 1, server: 'null S3', date: '2026-01-01' },
    missing: [{ name: 'rclone copy', why: 'needs rclone' }],
    contenders: Object.entries(cpuMs).map(([contender, all]) => ({
      ...{ name: contender, note: 'as it is', command: contender },
      runs: all.map((ms) => run(ms)),
    })),
  };
}

const reportOf = (...cases: CaseResult[]): Report => ({
  machine: { cores: 2, cpu: 'a CPU', memoryBytes: 2 ** 30, kernel: 'Linux' },
  versions: { ferry: '1.0.0' },
  accounting: 'GNU time',
  cases,
});

test('a median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.throws(() => median([]), /no median of nothing/);
});

test('dollars are what S3 bills: PUT and LIST alike, HEAD and GET less, DELETE nothing', () => {
  assert.equal(dollars({ PUT: 1_000, LIST: 1_000, DELETE: 9 }).toFixed(6), '0.010000');
  assert.equal(dollars({ HEAD: 1_000 }).toFixed(6), '0.000400');
  assert.equal(summarize([run(5, { PUT: 10 })], 10).dollarsPerMillion.toFixed(2), '5.00');
});

test('a CPU ratio more than a quarter worse than on record is named; a smaller change is not', () => {
  const record = reportOf(caseOf({ Ferry: [100], 's5cmd cp': [100] }));
  assert.deepEqual(worseRatios(record, [caseOf({ Ferry: [124], 's5cmd cp': [100] })]), []);
  const [sentence, ...more] = worseRatios(record, [caseOf({ Ferry: [130], 's5cmd cp': [100] })]);
  assert.match(sentence ?? '', /Ferry's CPU is 1\.30 of that of s5cmd cp; on record is 1\.00/);
  assert.equal(more.length, 0);
});

test('freeing is compared with freeing and keeping with keeping; Ferry itself with nobody', () => {
  const all = caseOf(
    { Ferry: [100], 'Ferry, freeing': [200], 's5cmd cp': [400], 's5cmd mv': [500] },
    'freeing',
  );
  const frees = new Set(['Ferry, freeing', 's5cmd mv']);
  const result: CaseResult = {
    ...all,
    contenders: all.contenders.map((one) => (frees.has(one.name) ? { ...one, frees: true } : one)),
  };
  assert.deepEqual(cpuRatios(result), { 's5cmd cp': 0.25, 's5cmd mv': 0.4 });
  const without = (name: string) => result.contenders.filter((one) => one.name !== name);
  assert.deepEqual(cpuRatios({ ...result, contenders: without('Ferry, freeing') }), { 's5cmd cp': 0.25 });
  assert.deepEqual(cpuRatios({ ...result, contenders: without('Ferry') }), { 's5cmd mv': 0.4 });
  assert.match(markdown(reportOf(result)), /\| Ferry, freeing \| 0\.20 s \| 0\.00 s \| 20\.000 ms \| {2}\|/);
});

test('the record on file says who frees as the cases do', () => {
  // What bench.ts wrote.
  const record = JSON.parse(readFileSync(join(ROOT, 'docs/benchmark.json'), 'utf8')) as Report;
  for (const { name, contenders } of record.cases) {
    const defined: readonly Contender[] = CASES.find((one) => one.name === name)?.contenders ?? [];
    for (const one of contenders)
      assert.equal(
        one.frees,
        defined.find((other) => other.name === one.name)?.frees,
        `${name}: ${one.name}`,
      );
  }
});

test('rounds measured again count together with the first ones', () => {
  const record = reportOf(caseOf({ Ferry: [100], 's5cmd cp': [100] }));
  const first = caseOf({ Ferry: [200], 's5cmd cp': [100] });
  const again = caseOf({ Ferry: [100, 100], 's5cmd cp': [100, 100] });
  assert.deepEqual(worseRatios(record, [first, again]), []);
});

test('a check that has nothing to compare fails', () => {
  assert.throws(
    () => worseRatios(reportOf(), [caseOf({ Ferry: [1], 's5cmd cp': [1] })]),
    /no ratio to compare with/,
  );
});

test('cases measured apart join the record of the same machine and are refused into that of another', () => {
  const record = reportOf(caseOf({ Ferry: [1] }, 'tls'), caseOf({ Ferry: [1] }, 'small'));
  const fresh = reportOf(caseOf({ Ferry: [2] }, 'small'));
  const joined = withCases(record, fresh, ['small', 'tls']);
  assert.deepEqual(
    joined.cases.map(({ name, contenders }) => [name, contenders[0]?.runs[0]?.userMs]),
    [
      ['small', 2],
      ['tls', 1],
    ],
  );
  const on = (machine: Partial<Report['machine']>): Report => ({
    ...fresh,
    machine: { ...fresh.machine, ...machine },
  });
  const { memoryBytes } = fresh.machine;
  for (const other of [
    { cores: 64 },
    { cpu: 'another' },
    { kernel: 'Linux 7' },
    { memoryBytes: 2 * memoryBytes },
  ])
    assert.throws(() => withCases(record, on(other), ['small', 'tls']), /another machine/);
  // A kernel leaves a few pages more or less at each start.
  withCases(record, on({ memoryBytes: memoryBytes - 8_192 }), ['small', 'tls']);
});

test('a run that lost a file, a byte or its exit code is an error, not a figure', () => {
  const source = { files: 10, bytes: 100 };
  const judge = (exit: number | null, objects: number, bytes: number) => () =>
    refuseLoss({ name: 'small' }, { name: 'Ferry' }, source, { exit, output: 'said' }, { objects, bytes });
  judge(0, 10, 100)();
  assert.throws(judge(0, 9, 90), /Ferry left 9 objects of 90 bytes.*10 files of 100 bytes/);
  assert.throws(judge(0, 10, 99), /99 bytes/);
  assert.throws(judge(5, 10, 100), /ended with 5.*said/);
  assert.throws(judge(null, 10, 100), /a signal/);
});

test('a mover that leaves a file behind is an error, empty directories are not', async (t) => {
  const directory = await tempDir(t);
  const judge = () => refuseLeft({ name: 'freeing' }, { name: 'Ferry' }, directory);
  mkdirSync(join(directory, '2026-11-22', '10'), { recursive: true });
  judge();
  writeFileSync(join(directory, '2026-11-22', '10', 'reading.json'), '{}');
  assert.throws(judge, /freeing: Ferry left 1 files/);
});

test('the null S3 lists every key once, page after page, in byte order', () => {
  const key = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: 'grapheme' }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (keys, max) => {
      const objects = createObjects();
      for (const one of keys) objects.put(`p/${one}`, Buffer.from(one));
      const seen: string[] = [];
      for (let token = ''; ; ) {
        const query = new URLSearchParams({ prefix: 'p/', 'max-keys': String(max), 'encoding-type': 'url' });
        query.set('list-type', '2');
        if (token !== '') query.set('continuation-token', token);
        const xml = objects.list(query);
        assert.equal(XMLValidator.validate(xml), true);
        seen.push(
          ...[...xml.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, text]) => decodeURIComponent(text ?? '')),
        );
        if (!xml.includes('<IsTruncated>true<')) break;
        token = /<NextContinuationToken>(.*?)</.exec(xml)?.[1] ?? '';
        assert.notEqual(token, '');
      }
      assert.deepEqual(seen, [...new Set(keys.map((one) => `p/${one}`))].sort(compareKeys));
    }),
  );
});

test('the null S3 groups keys behind a delimiter, each group once over all pages', () => {
  const objects = createObjects();
  for (const key of ['a/1', 'a/2', 'b', 'c/1', 'c/2', 'd']) objects.put(key, Buffer.alloc(0));
  const first = objects.list(new URLSearchParams({ 'list-type': '2', delimiter: '/', 'max-keys': '3' }));
  assert.deepEqual(
    first.match(/<(Key|Prefix)>[^<]+/g),
    ['<Key>b', '<Prefix>a/', '<Prefix>c/'].sort(byPlace(first)),
  );
  const token = /<NextContinuationToken>(.*?)</.exec(first)?.[1] ?? '';
  const second = objects.list(
    new URLSearchParams({ 'list-type': '2', delimiter: '/', 'continuation-token': token }),
  );
  assert.deepEqual(second.match(/<(Key|Prefix)>[^<]+/g), ['<Key>d']);
});

const byPlace = (text: string) => (a: string, b: string) => text.indexOf(a) - text.indexOf(b);

test('a body in chunks of aws-chunked is counted without its frame', () => {
  const body = Buffer.from(
    '5;chunk-signature=00\r\nhello\r\n3\r\n\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n',
  );
  assert.equal(decodeAwsChunks(body).toString(), 'hello\r\n!');
  assert.throws(() => decodeAwsChunks(body.subarray(0, 25)), /ends early/);
});

test('the null S3 refuses a second conditional PUT, counts by method and forgets when told', async (t) => {
  const server = await startNullS3(await tempDir(t), false);
  t.after(() => server.stop());
  const put = (): Promise<Response> =>
    fetch(`${server.endpoint}/bench/p/k`, {
      method: 'PUT',
      body: 'content',
      headers: { 'if-none-match': '*' },
    });
  const first = await put();
  assert.deepEqual([first.status, first.headers.get('etag')], [200, '"9a0364b9e99bb480dd25e1f0284c8555"']);
  assert.equal((await put()).status, 412);
  assert.equal((await fetch(`${server.endpoint}/bench?list-type=2`)).status, 200);
  assert.deepEqual(await server.counts(), { PUT: 2, '412': 1, LIST: 1 });
  assert.deepEqual(await server.stored('p/'), { objects: 1, bytes: 7 });
  await server.forget();
  assert.deepEqual([await server.counts(), await server.stored('')], [{}, { objects: 0, bytes: 0 }]);
});

test("versitygw's access log is counted by billed method", () => {
  const line = (operation: string, status: number): string =>
    `root bucket [21/November/2026:08:31:37 +0000] 127.0.0.1 root ID s3_${operation} - /bucket ${status} - 0 10 5 5 -\n`;
  const log = `log starts\n${line('PutObject', 200)}${line('PutObject', 412)}${line('ListObjectsV2', 200)}`;
  assert.deepEqual(countLog(`${log}${line('CompleteMultipartUpload', 200)}${line('UploadPart', 200)}`), {
    PUT: 3,
    '412': 1,
    LIST: 1,
    POST: 1,
  });
});

for (const accounting of ['GNU time', 'shell and /proc'] as const) {
  test(`${accounting} counts the CPU of a program and of its children`, async (t) => {
    if (accounting === 'GNU time' && spawnSync('/usr/bin/time', ['--version']).error)
      return t.skip('needs GNU time');
    const burn = 'const end=process.cpuUsage().user+300000;while(process.cpuUsage().user<end);';
    const parent = `require('node:child_process').execFileSync(process.execPath,['-e',${JSON.stringify(burn)}]);${burn}`;
    const options = { env: { PATH: process.env.PATH ?? '' }, scratch: await tempDir(t), accounting };
    const cost = await measure([process.execPath, '-e', parent], options);
    assert.equal(cost.exit, 0);
    assert.ok(cost.userMs >= 550 && cost.userMs < 5_000, `${cost.userMs} ms user`);
    assert.ok(cost.wallMs >= 550, `${cost.wallMs} ms wall`);
    assert.ok(cost.peakRssBytes > 20 * 2 ** 20 && cost.peakRssBytes < 2 ** 30, `${cost.peakRssBytes} bytes`);
    assert.ok((cost.peakAnonBytes ?? 0) > 2 ** 20, `${cost.peakAnonBytes} bytes`);
    const failed = await measure([process.execPath, '-e', 'console.error("why");process.exit(7)'], options);
    assert.deepEqual([failed.exit, failed.output], [7, 'why\n']);
  });
}

test("the bench runs Ferry with the image's own Node flags", () => {
  const dockerfile = 'FROM x\nENV MALLOC_ARENA_MAX=2\nENTRYPOINT ["/node", "--a=1", "/app/ferry.mjs"]\n';
  const node = [process.execPath, '--a=1', 'b.mjs'];
  assert.deepEqual(imageCommand('b.mjs', dockerfile), ['env', 'MALLOC_ARENA_MAX=2', ...node]);
  assert.deepEqual(imageCommand('b.mjs', dockerfile.replace(/ENV.*\n/, '')), node);
});

test('the report names who was not measured and why; the chart is well-formed', () => {
  const report = reportOf(caseOf({ Ferry: [10], 's5cmd cp': [30] }, 'cold-1k'));
  for (const text of [table(report), markdown(report)]) {
    assert.match(text, /Not measured: rclone copy: needs rclone/);
    assert.match(text, /0\.33 of it/);
  }
  assert.equal(XMLValidator.validate(chart(report)), true);
});

test('no figure of a window is told per file', () => {
  for (const name of ['steady', 'names']) {
    const report = reportOf(caseOf({ Ferry: [10] }, name));
    const row = markdown(report)
      .split('\n')
      .find((line) => line.startsWith('| Ferry |'));
    const cells = row?.split(' | ').map((cell) => cell.trim());
    // CPU per file, files/s and dollars; CPU and time stand.
    assert.deepEqual([cells?.[3], cells?.[7], cells?.[11]], ['-', '-', '- |'], row);
    assert.deepEqual([cells?.[1], cells?.[5]], ['0.01 s', '1.00 s'], row);
  }
  assert.match(markdown(reportOf(caseOf({ Ferry: [10] }))), /\| 1\.000 ms \|/);
});

test('the report names every case that is not on record, and says who is left out and why', () => {
  const some = markdown(reportOf(caseOf({ Ferry: [10] }, 'million')));
  const [measured = '', lacking = ''] = some.split('## Not measured');
  assert.match(measured, /Ferry alone:.*18 GB/);
  for (const { name } of CASES)
    assert.equal(lacking.includes(`--case ${name} --write-docs`), name !== 'million', name);
  const all = markdown(reportOf(...CASES.map(({ name }) => caseOf({ Ferry: [10] }, name))));
  assert.doesNotMatch(all, /## Not measured/);
  assert.match(all, /twenty real minutes of the hour[\s\S]*--keep/);
});

test('docs/benchmark.md and .svg are what the record gives', () => {
  const file = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
  const record = JSON.parse(file('benchmark.json')) as Report; // What bench.ts wrote.
  assert.equal(file('benchmark.md'), `${markdown(record)}${eventsSection()}`);
  assert.equal(file('benchmark.svg'), chart(record));
});

/** PUTs of a run without that of Ferry's receipt; there are two where an hour ended in the middle of it. */
function filesPut(name: string, { requests }: Run, files: number): number {
  const puts = requests.PUT ?? 0;
  return name === 'Ferry' && [files + 1, files + 2].includes(puts) ? files : puts;
}

test('a missing peer leaves the others measured, over TLS too', async (t) => {
  const scratch = await tempDir(t);
  const { program: ferryBundle } = await bundle(join(scratch, 'app'));
  const small = CASES.find(({ name }) => name === QUICK_CASE);
  assert.ok(small);
  for (const server of ['null', 'null-tls'] as const) {
    const result = await runCase({ ...small, files: 50, server }, 1, {
      scratch,
      ferryBundle,
      accounting: 'shell and /proc',
      peer: () => ({ missing: 'needs a peer' }),
      source: ({ files, sizeBytes }) => makeSource(join(scratch, server, 'source'), files, sizeBytes),
      say: () => {},
    });
    if (result.contenders.length === 0) return t.skip(result.missing[0]?.why);
    assert.deepEqual(result.missing, [{ name: 's5cmd cp', why: 'needs a peer' }]);
    assert.deepEqual(
      result.contenders.map(({ name, runs }) => [name, ...runs.map((one) => filesPut(name, one, 50))]),
      [
        ['Ferry', 50],
        ['plain SDK script', 50],
      ],
    );
  }
});

test('one command measures Ferry beside its peers and leaves every figure as JSON', async (t) => {
  const file = join(await tempDir(t), 'bench.json');
  const words = [
    'bench/bench.ts',
    '--case',
    QUICK_CASE,
    'start',
    '--files',
    '200',
    '--rounds',
    '2',
    '--json',
    file,
  ];
  const ended = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8', timeout: 600_000 });
  assert.equal(ended.status, 0, ended.stderr.slice(-2_000));
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report; // what the command above wrote
  const [small, start] = report.cases;
  const named = [...(small?.contenders ?? []), ...(small?.missing ?? [])].map(({ name }) => name);
  assert.deepEqual(named.sort(), ['Ferry', 'plain SDK script', 's5cmd cp']);
  for (const { name, runs } of small?.contenders ?? []) {
    const puts = runs.map((one) => filesPut(name, one, 200));
    assert.deepEqual([name, ...puts], [name, 200, 200]);
    assert.match(ended.stdout, new RegExp(`^${name} .*\\d\\.\\d\\d s`, 'm'));
  }
  assert.ok((start?.contenders[0]?.runs[0]?.wallMs ?? 0) > 0);
  assert.ok(report.machine.cores >= 1 && report.versions.ferry);
  assert.match(report.versions['@aws-sdk/client-s3'] ?? '', /^\d+\.\d+\.\d+$/);
  assert.equal(report.versions.versitygw, undefined);
});

test('a misspelled flag or case is refused before anything runs; the help has examples', () => {
  const bench = (...words: string[]) =>
    spawnSync(process.execPath, ['bench/bench.ts', ...words], { cwd: ROOT, encoding: 'utf8' });
  assert.match(bench('--help').stdout, /Examples:[\s\S]*--check/);
  for (const words of [['--quik'], ['--case', 'nothing'], ['--rounds', '0']]) {
    const ended = bench(...words);
    assert.notEqual(ended.status, 0);
    assert.notEqual(ended.stderr, '');
  }
});
