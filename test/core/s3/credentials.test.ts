// Every way a pod or a person gets AWS credentials, through the SDK's own chain in a process of its own, over sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type S3Server, startS3Server } from '../../support/s3/server.ts';
import { tempDir, until } from '../../support/temp.ts';

const STORE_MODULE = new URL('../../../app/core/s3/store.ts', import.meta.url).href;

/** Puts the key of every line it reads and answers each with a line of JSON. */
const CHILD = `
import { hash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { openS3Store } from ${JSON.stringify(STORE_MODULE)};
const [bucket, endpoint] = process.argv.slice(1);
const store = await openS3Store({ bucket, prefix: '', endpoint });
for await (const key of createInterface({ input: process.stdin })) {
  const answer = await store.put(key, Buffer.from('x'), hash('sha256', 'x', 'hex'))
    .catch(({ fault, code, message }) => ({ fault, code, message }));
  console.log(JSON.stringify(answer));
}
await store.close();
`;

interface Outcome {
  readonly outcome?: string;
  readonly fault?: string;
  readonly code?: string;
  readonly message?: string;
}

/** A process with this environment and nothing of ours; `put` asks it for one object. */
async function startChild(t: TestContext, server: S3Server, env: NodeJS.ProcessEnv) {
  const home = await tempDir(t);
  const args = ['--input-type=module', '-e', CHILD, server.bucket, server.endpoint];
  const child = spawn(process.execPath, args, {
    env: { HOME: home, AWS_REGION: 'us-east-1', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(async () => {
    const exited = child.exitCode === null ? once(child, 'exit') : undefined;
    child.stdin.end();
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async function put(key: string): Promise<Outcome> {
    child.stdin.write(`${key}\n`);
    const line = await lines.next();
    assert.equal(line.done, false, 'the process answers');
    return JSON.parse(String(line.value));
  };
}

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server's address is never a text or null.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startS3(t: TestContext): Promise<S3Server> {
  const server = await startS3Server();
  t.after(() => server.close());
  return server;
}

/** What issuers hand out and the S3 server knows. */
const ISSUED = [1, 2, 3].map((number) => ({
  accessKeyId: `ASIAFERRYTEST000000${number}`,
  secretAccessKey: `issued-secret-${number}`,
  sessionToken: `session-${number}`,
}));

function issued(number: number) {
  const credentials = ISSUED[Math.min(number, ISSUED.length) - 1];
  assert.ok(credentials);
  return credentials;
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR_MS = 3_600_000;

/** The JSON of instance and container credentials. */
function identity(number: number): string {
  const { accessKeyId, secretAccessKey, sessionToken } = issued(number);
  return JSON.stringify({
    Code: 'Success',
    Type: 'AWS-HMAC',
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: inMs(HOUR_MS),
  });
}

/** STS that takes any token, remembers it, and hands out the next credentials, good for `lifeMs`. */
function fakeSts(lifeMs: (count: number) => number) {
  const tokens: string[] = [];
  const listener = async (request: IncomingMessage, response: Parameters<RequestListener>[1]) => {
    const form = new URLSearchParams(await text(request));
    tokens.push(form.get('WebIdentityToken') ?? '');
    const { accessKeyId, secretAccessKey, sessionToken } = issued(tokens.length);
    response.setHeader('content-type', 'text/xml');
    response.end(
      '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>' +
        '<AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/ferry/s</Arn></AssumedRoleUser>' +
        `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
        `<SessionToken>${sessionToken}</SessionToken><Expiration>${inMs(lifeMs(tokens.length))}</Expiration></Credentials>` +
        '</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
    );
  };
  return { tokens, listener };
}

async function webIdentity(t: TestContext): Promise<{ file: string; env: NodeJS.ProcessEnv }> {
  const file = join(await tempDir(t), 'token');
  await writeFile(file, 'token-one');
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ferry' };
  return { file, env };
}

test('web identity: one call to STS serves many puts', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  const sts = fakeSts(() => HOUR_MS);
  const { env } = await webIdentity(t);
  const put = await startChild(t, server, { ...env, AWS_ENDPOINT_URL_STS: await listen(t, sts.listener) });
  for (const key of ['a', 'b', 'c']) assert.equal((await put(key)).outcome, 'created');
  assert.deepEqual(sts.tokens, ['token-one']);
});

test('web identity: credentials refused as expired are renewed at the next call, from the rotated token', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  const sts = fakeSts(() => HOUR_MS);
  const { file, env } = await webIdentity(t);
  const put = await startChild(t, server, { ...env, AWS_ENDPOINT_URL_STS: await listen(t, sts.listener) });
  assert.equal((await put('a')).outcome, 'created');
  await writeFile(file, 'token-two');
  server.setCredentials(ISSUED.map((known, index) => ({ ...known, expired: index === 0 })));
  const refused = await put('b');
  assert.deepEqual([refused.fault, refused.code], ['expired', 'ExpiredToken']);
  assert.equal((await put('b')).outcome, 'created');
  assert.deepEqual(sts.tokens, ['token-one', 'token-two']);
});

test('web identity: credentials near their end are renewed while puts go on, from the rotated token', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  // The first ones end soon: the chain renews within five minutes of the end.
  const sts = fakeSts((count) => (count === 1 ? 60_000 : HOUR_MS));
  const { file, env } = await webIdentity(t);
  const put = await startChild(t, server, { ...env, AWS_ENDPOINT_URL_STS: await listen(t, sts.listener) });
  assert.equal((await put('first')).outcome, 'created');
  await writeFile(file, 'token-two');
  let count = 0;
  await until(async () => {
    count += 1;
    assert.equal((await put(`key-${count}`)).outcome, 'created');
    return sts.tokens.length === 2;
  }, 'STS is asked again');
  server.setCredentials(ISSUED.slice(1));
  await until(async () => (await put('last')).outcome === 'created', 'the new ones are in use');
  assert.deepEqual(sts.tokens, ['token-one', 'token-two']);
});

test('web identity: STS is reached through the proxy, S3 past it', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  const sts = fakeSts(() => HOUR_MS);
  const asked: string[] = [];
  const proxy = await listen(t, (request, response) => {
    asked.push(request.url ?? '');
    void sts.listener(request, response);
  });
  const { env } = await webIdentity(t);
  const put = await startChild(t, server, {
    ...env,
    AWS_ENDPOINT_URL_STS: 'http://sts.invalid',
    HTTP_PROXY: proxy,
    NO_PROXY: '127.0.0.1',
  });
  assert.equal((await put('a')).outcome, 'created');
  assert.deepEqual(asked, ['http://sts.invalid/']);
});

test('web identity: what STS refuses, or that it cannot be reached, is said in its own words', async (t) => {
  const server = await startS3(t);
  const { env } = await webIdentity(t);
  const refusing = await listen(t, (request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'text/xml' });
    response.end(
      '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>' +
        '<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>',
    );
  });
  const denied = await (await startChild(t, server, { ...env, AWS_ENDPOINT_URL_STS: refusing }))('a');
  assert.equal(denied.fault, 'denied');
  assert.match(
    denied.message ?? '',
    /s3:\/\/ferry-test\/.*Not authorized to perform sts:AssumeRoleWithWebIdentity/,
  );
  const down = { ...env, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
  assert.equal((await (await startChild(t, server, down))('a')).fault, 'network');
});

test('instance role: the metadata service is asked with a session token', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  const asked: string[] = [];
  const metadata = await listen(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.method === 'PUT') return response.end('metadata-session');
    if (request.headers['x-aws-ec2-metadata-token'] !== 'metadata-session')
      return response.writeHead(401).end();
    return response.end(request.url?.endsWith('/ferry-role') ? identity(1) : 'ferry-role');
  });
  const put = await startChild(t, server, { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata });
  assert.equal((await put('a')).outcome, 'created');
  assert.equal(asked[0], 'PUT /latest/api/token');
});

test('container credentials: the agent is asked with its authorization', async (t) => {
  const server = await startS3(t);
  server.setCredentials(ISSUED);
  const agent = await listen(t, (request, response) => {
    if (request.headers.authorization !== 'pod-token') return response.writeHead(401).end();
    return response.end(identity(2));
  });
  const put = await startChild(t, server, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod-token',
  });
  assert.equal((await put('a')).outcome, 'created');
});

test('profile file and static environment give what they hold', async (t) => {
  const server = await startS3(t);
  const { accessKeyId, secretAccessKey } = server;
  const file = join(await tempDir(t), 'credentials');
  const held = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  await writeFile(
    file,
    `[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n[mover]\n${held}`,
  );
  const profile = await startChild(t, server, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'mover' });
  assert.equal((await profile('a')).outcome, 'created');
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  assert.equal((await (await startChild(t, server, env))('b')).outcome, 'created');
});

test('keys exchanged in the profile file are taken up after the first refusal', async (t) => {
  const server = await startS3(t);
  const file = join(await tempDir(t), 'credentials');
  const write = ({ accessKeyId, secretAccessKey, sessionToken }: (typeof ISSUED)[number]) =>
    writeFile(
      file,
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n` +
        `aws_session_token = ${sessionToken}\n`,
    );
  await write(issued(1));
  server.setCredentials([issued(1)]);
  const put = await startChild(t, server, { AWS_SHARED_CREDENTIALS_FILE: file });
  assert.equal((await put('a')).outcome, 'created');
  await write(issued(2));
  server.setCredentials([issued(2)]);
  assert.equal((await put('b')).fault, 'denied');
  assert.equal((await put('b')).outcome, 'created');
});

test('no credentials at all is one sentence that says where they were looked for', async (t) => {
  const server = await startS3(t);
  const put = await startChild(t, server, { AWS_EC2_METADATA_DISABLED: 'true' });
  const answer = await put('a');
  assert.deepEqual([answer.fault, answer.code], ['denied', 'NoCredentials']);
  assert.match(
    answer.message ?? '',
    /^No AWS credentials for s3:\/\/ferry-test\/: .*environment.*instance role/,
  );
  assert.equal(server.requests.length, 0);
});
