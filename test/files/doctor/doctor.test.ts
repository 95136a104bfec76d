import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { loadSettings } from '../../../app/core/settings/settings.ts';
import { runDoctor } from '../../../app/files/doctor/doctor.ts';
import type { Finding } from '../../../app/files/doctor/finding.ts';
import { doctorSpec } from '../../../app/files/settings.ts';
import { type S3ServerOptions, startS3Server } from '../../support/s3/server.ts';
import { tempDir } from '../../support/temp.ts';

type Flags = Record<string, string | boolean>;

interface Diagnosis {
  readonly exit: string;
  readonly text: string;
  readonly findings: readonly Finding[];
  level(check: string): string | undefined;
  finding(check: string): Finding | undefined;
}

/** Runs the doctor with the settings a person would write, without reading this machine's environment. */
async function diagnose(
  flags: Flags,
  io: { env?: NodeJS.ProcessEnv; credentials?: { accessKeyId: string; secretAccessKey: string } } = {},
): Promise<Diagnosis> {
  const settings = loadSettings(doctorSpec, { flags: new Map(Object.entries(flags)), env: {} });
  const run = async (json: boolean) => {
    let text = '';
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    const exit = await runDoctor(settings, { stdout, json, env: {}, ...io });
    return { exit, text };
  };
  const { exit, text } = await run(true);
  const findings: Finding[] = JSON.parse(text).findings;
  const finding = (check: string) => findings.find((one) => one.check === check);
  return { exit, text, findings, finding, level: (check) => finding(check)?.level };
}

async function startStore(t: TestContext, options: S3ServerOptions = {}) {
  const server = await startS3Server(options);
  t.after(() => server.close());
  const state = await tempDir(t);
  const credentials = { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey };
  const flags = { to: `s3://${server.bucket}/site-1`, endpoint: server.endpoint, state };
  return {
    server,
    flags,
    credentials,
    check: (more: Flags = {}) => diagnose({ ...flags, ...more }, { credentials }),
  };
}

test('a role that may list and put, and nothing else, is well', async (t) => {
  const { server, check } = await startStore(t, { deny: ['read', 'delete'] });
  server.faults.add({
    when: (request) => request.op === 'PutObject' && request.headers['if-none-match'] === undefined,
    do: { kind: 'status', status: 403, code: 'AccessDenied' },
  });
  const diagnosis = await check();
  assert.equal(diagnosis.exit, 'ok', diagnosis.text);
  for (const name of [
    'list',
    'put',
    'condition',
    'overwrite',
    'proof',
    'checksum',
    'multipart',
    'read',
    'delete',
  ]) {
    assert.equal(diagnosis.level(`s3.${name}`), 'ok', name);
  }
  assert.equal(server.objects.size, 1);
  assert.match([...server.objects.keys()][0] ?? '', /^site-1\/\.ferry-doctor\/\d{8}T\d{6}Z-[0-9a-f]{12}$/);
  assert.equal(server.uploads.size, 0);
});

test('a role that may read, delete and overwrite is warned about, each by name', async (t) => {
  const { check } = await startStore(t);
  const diagnosis = await check();
  assert.equal(diagnosis.exit, 'ok');
  for (const name of ['s3.read', 's3.delete', 's3.overwrite'])
    assert.equal(diagnosis.level(name), 'warn', name);
  assert.match(diagnosis.finding('s3.delete')?.remedy ?? '', /s3:DeleteObject/);
});

test('with --may-read, reading is expected and its absence is a failure', async (t) => {
  const { server, check } = await startStore(t);
  assert.equal((await check({ 'may-read': true })).level('s3.read'), 'ok');
  server.deny(['read']);
  const diagnosis = await check({ 'may-read': true });
  assert.equal(diagnosis.level('s3.read'), 'fail');
  assert.equal(diagnosis.exit, 'unhealthy');
});

test('a role that may not put is unhealthy, and the missing permission is named with its resource', async (t) => {
  const { check } = await startStore(t, { deny: ['put', 'read', 'delete'] });
  const diagnosis = await check();
  assert.equal(diagnosis.exit, 'unhealthy');
  assert.match(
    diagnosis.finding('s3.put')?.remedy ?? '',
    /Allow s3:PutObject on arn:aws:s3:::ferry-test\/site-1\/\*/,
  );
  assert.equal(diagnosis.level('s3.read'), 'ok');
});

test('a role that may not list is unhealthy: nothing could be proved', async (t) => {
  const { check } = await startStore(t, { deny: ['list', 'read', 'delete'] });
  const diagnosis = await check();
  assert.equal(diagnosis.exit, 'unhealthy');
  assert.match(diagnosis.finding('s3.list')?.remedy ?? '', /s3:ListBucket/);
  assert.equal(diagnosis.level('s3.proof'), 'unknown');
});

test('credentials that may do nothing do not pass for a role that may not read', async (t) => {
  const { server, flags } = await startStore(t);
  const stranger = { accessKeyId: 'AKIAXXXXXXXXXXXXXXXX', secretAccessKey: server.secretAccessKey };
  const diagnosis = await diagnose(flags, { credentials: stranger });
  assert.equal(diagnosis.exit, 'unhealthy');
  assert.equal(diagnosis.level('s3.read'), undefined);
  assert.equal(diagnosis.level('s3.refusals'), 'unknown');
  assert.match(diagnosis.finding('s3.list')?.remedy ?? '', /does not know this key/);
  assert.ok(!diagnosis.text.includes(server.secretAccessKey));
});

test('a dry run writes nothing and says what it did not try', async (t) => {
  const { server, check } = await startStore(t, { deny: ['read'] });
  const diagnosis = await check({ 'dry-run': true });
  assert.equal(diagnosis.level('s3.put'), 'unknown');
  assert.equal(diagnosis.level('s3.read'), 'ok');
  assert.deepEqual([...new Set(server.requests.map(({ method }) => method))], ['GET']);
});

test('a bucket whose encryption hides the MD5 is said to prove size only', async (t) => {
  const { check } = await startStore(t, { sse: 'kms' });
  const diagnosis = await check();
  assert.equal(diagnosis.level('s3.proof'), 'warn');
  assert.equal(diagnosis.exit, 'ok');
  assert.equal((await check({ 'may-read': true })).level('s3.proof'), 'ok');
});

test('a store that ignores the condition or loses what it wrote is unhealthy', async (t) => {
  const { server, check } = await startStore(t);
  const lie = server.faults.add({
    when: ({ op, query }) => op === 'ListObjectsV2' && query.get('prefix') !== 'site-1/',
    do: { kind: 'listing', lie: 'empty' },
  });
  assert.equal((await check()).level('s3.proof'), 'fail');
  lie.remove();
  server.faults.add({
    when: ({ op, headers }) => op === 'PutObject' && headers['if-none-match'] === '*',
    do: { kind: 'status', status: 501, code: 'NotImplemented' },
  });
  const diagnosis = await check();
  assert.equal(diagnosis.exit, 'unhealthy');
  assert.match(diagnosis.finding('s3.put')?.remedy ?? '', /does not know If-None-Match/);
});

test('a clock that is a little off is warned about, one that S3 refuses is a failure', async (t) => {
  const { server, check } = await startStore(t);
  server.setClockSkewMs(3 * 60_000);
  const little = await check();
  assert.equal(little.level('clock.skew'), 'warn');
  assert.match(little.finding('clock.skew')?.message ?? '', /(2m 5\ds|3m) behind/);
  server.setClockSkewMs(-20 * 60_000);
  const much = await check();
  assert.equal(much.level('clock.skew'), 'fail');
  assert.equal(much.exit, 'unhealthy');
});

test('a bucket in another region is told with the right one', async (t) => {
  const { check } = await startStore(t, { bucketRegion: 'eu-central-1' });
  const diagnosis = await check();
  assert.equal(diagnosis.finding('s3.region')?.remedy, 'Set --region eu-central-1.');
});

test('a bucket that is not there is told apart from one that refuses', async (t) => {
  const { flags, credentials } = await startStore(t);
  const diagnosis = await diagnose({ ...flags, to: 's3://no-such-bucket/x' }, { credentials });
  assert.match(diagnosis.finding('s3.list')?.remedy ?? '', /Make the bucket/);
});

test('the step on the way that fails is named: name, address, TLS', async (t) => {
  const { server, flags, credentials } = await startStore(t);
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  const port = typeof address === 'object' ? address?.port : 0;
  await new Promise((resolve) => closed.close(resolve));
  const refused = await diagnose({ ...flags, endpoint: `http://127.0.0.1:${port}` }, { credentials });
  assert.match(refused.finding('network.tcp')?.message ?? '', /ECONNREFUSED/);
  assert.equal(refused.level('s3.permissions'), 'unknown');
  assert.equal(refused.exit, 'unhealthy');
  const noTls = await diagnose(
    { ...flags, endpoint: server.endpoint.replace('http:', 'https:') },
    { credentials },
  );
  assert.equal(noTls.level('network.tls'), 'fail');
  const noName = await diagnose({ ...flags, endpoint: 'http://no-such-host.invalid' }, { credentials });
  assert.equal(noName.level('network.dns'), 'fail');
});

test('TLS is held against the given authorities', async (t) => {
  const directory = await tempDir(t);
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-keyout',
    keyFile,
    '-out',
    certFile,
  ]);
  if (made.status !== 0) return t.skip('needs openssl');
  const tls = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  const { flags, credentials } = await startStore(t, { tls });
  const unknown = await diagnose(flags, { credentials });
  assert.equal(unknown.level('network.tls'), 'fail');
  assert.match(unknown.finding('network.tls')?.remedy ?? '', /AWS_CA_BUNDLE/);
  const known = await diagnose(flags, { credentials, env: { AWS_CA_BUNDLE: certFile } });
  assert.match(known.finding('network.tls')?.message ?? '', /valid for (29|30)d/);
  assert.equal(known.exit, 'ok', known.text);
});

test('a proxy is named, and NO_PROXY goes around it', async (t) => {
  const { flags, credentials } = await startStore(t);
  const env = { http_proxy: 'http://user:secret@127.0.0.1:1', no_proxy: 'localhost,127.0.0.1' };
  const around = await diagnose(flags, { credentials, env });
  assert.match(around.finding('network.proxy')?.message ?? '', /without the proxy/);
  assert.equal(around.exit, 'ok');
  const through = await diagnose(flags, { credentials, env: { http_proxy: env.http_proxy } });
  assert.match(through.finding('network.proxy')?.message ?? '', /through the proxy 127\.0\.0\.1:1/);
  assert.match(through.finding('network.tcp')?.message ?? '', /the proxy at 127\.0\.0\.1:1/);
  assert.ok(!through.text.includes('secret'));
});

test('a web identity token that this user cannot read is told with fsGroup as the remedy', async (t) => {
  const { flags, credentials } = await startStore(t);
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: '/no/such/token' };
  const diagnosis = await diagnose(flags, { credentials, env });
  assert.match(diagnosis.finding('credentials.token')?.remedy ?? '', /fsGroup/);
});

test('a folder is looked at for room and place, and nothing is left in it', async (t) => {
  const directory = await tempDir(t);
  const source = join(directory, 'source');
  const to = join(directory, 'to');
  mkdirSync(source);
  mkdirSync(to);
  const flags = { source, to, state: join(directory, 'state') };
  const diagnosis = await diagnose(flags);
  assert.equal(diagnosis.exit, 'ok', diagnosis.text);
  assert.equal(diagnosis.level('folder.writable'), 'ok');
  assert.equal(diagnosis.level('folder.apart'), 'ok');
  assert.equal(execFileSync('ls', ['-A', to], { encoding: 'utf8' }), '');
  assert.equal((await diagnose({ ...flags, to: join(directory, 'new', 'folder') })).exit, 'ok');
});

test('a source that is not there is a failure with a remedy', async (t) => {
  const directory = await tempDir(t);
  const diagnosis = await diagnose({
    source: join(directory, 'none'),
    to: join(directory, 'to'),
    state: directory,
  });
  assert.equal(diagnosis.exit, 'unhealthy');
  assert.match(diagnosis.finding('source.exists')?.message ?? '', /ENOENT/);
});

test('state on the volume of the source is warned about', async (t) => {
  const directory = await tempDir(t);
  const source = join(directory, 'source');
  mkdirSync(source);
  const diagnosis = await diagnose({ source, to: join(directory, 'to'), state: join(directory, 'state') });
  assert.equal(diagnosis.level('state.volume'), 'warn');
});

test('a user who cannot delete in a directory of the source is told which one and what to do', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const directory = await tempDir(t);
  chmodSync(directory, 0o755);
  const source = join(directory, 'source');
  mkdirSync(join(source, 'day-1'), { recursive: true });
  mkdirSync(join(source, 'private'), { mode: 0o700 });
  mkdirSync(join(source, 'sticky'));
  for (const [path, mode] of [
    [source, 0o777],
    [join(source, 'day-1'), 0o755],
    [join(source, 'sticky'), 0o1777],
  ] as const) {
    chmodSync(path, mode);
  }
  writeFileSync(join(source, 'day-1', 'a'), 'a');
  writeFileSync(join(source, 'secret'), 's', { mode: 0o600 });
  symlinkSync('/', join(source, 'everything'));
  const code = `
    const { checkSource } = await import(${JSON.stringify(new URL('../../../app/files/doctor/source.ts', import.meta.url).href)});
    process.setgroups([]); process.setgid(65532); process.setuid(65532);
    console.log(JSON.stringify(checkSource({ source: ${JSON.stringify(source)}, keep: false, settleMs: 5000 }, Date.now())));
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const findings: Finding[] = JSON.parse(printed);
  const messages = findings.filter(({ level }) => level === 'fail').map(({ message }) => message);
  assert.ok(
    messages.some((message) => /cannot be deleted from .*day-1/.test(message)),
    printed,
  );
  assert.ok(
    messages.some((message) => /Directories cannot be read: private/.test(message)),
    printed,
  );
  assert.ok(
    messages.some((message) => /Files cannot be read: secret/.test(message)),
    printed,
  );
  assert.ok(
    messages.some((message) => /sticky bit on sticky/.test(message)),
    printed,
  );
});

test('the report for people has a remedy below everything to mend and ends with what it comes to', async (t) => {
  const directory = await tempDir(t);
  const settings = loadSettings(doctorSpec, {
    flags: new Map([
      ['source', join(directory, 'none')],
      ['to', join(directory, 'to')],
      ['state', directory],
    ]),
    env: {},
  });
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  assert.equal(await runDoctor(settings, { stdout, json: false, env: {} }), 'unhealthy');
  assert.match(text, /^FAIL {5}The source .* cannot be opened: ENOENT\.\n {9}-> Create it/m);
  assert.match(text, /\nFerry cannot work here yet: \d+ ok, .*\n$/);
});
