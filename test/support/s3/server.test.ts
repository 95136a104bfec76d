// The test server is as strict as S3: shown with the AWS SDK's own client and with requests gone wrong.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Agent } from 'node:https';
import { test } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CHECKSUM_ALGORITHMS, checksumOf, md5Hex } from './checksums.ts';
import { clientOf, refusal, start } from './client.ts';
import { CONFLICT } from './faults.ts';
import { multipartEtag } from './multipart.ts';
import { selfSigned } from './tls.ts';

const sha256Base64 = (body: Buffer): string => createHash('sha256').update(body).digest('base64');

test('objects go in and out with every checksum S3 knows', async (t) => {
  const { server, client, Bucket } = await start(t);
  const Body = Buffer.from('some content');
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const Key = `by ${algorithm}/ä+&.txt`;
    // The union of names the SDK knows, in upper case.
    const ChecksumAlgorithm = algorithm.toUpperCase() as 'SHA256';
    const put = await client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm }));
    assert.equal(put.ETag, `"${md5Hex(Body)}"`);
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), Body);
    assert.equal(server.objects.get(Key)?.checksum?.base64, checksumOf(algorithm, Body));
  }
  const Key = 'by sha256/ä+&.txt';
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  assert.equal(head.ChecksumSHA256, sha256Base64(Body));
  assert.equal(await refusal(client.send(new HeadObjectCommand({ Bucket, Key: 'none' }))), '404 NotFound');
  assert.equal(await refusal(client.send(new GetObjectCommand({ Bucket, Key: 'none' }))), '404 NoSuchKey');
});

test('known checksums are the published ones', () => {
  const body = Buffer.from('123456789');
  const hex = (algorithm: 'crc32' | 'crc32c' | 'crc64nvme'): string =>
    Buffer.from(checksumOf(algorithm, body), 'base64').toString('hex');
  assert.equal(hex('crc32'), 'cbf43926');
  assert.equal(hex('crc32c'), 'e3069283');
  assert.equal(hex('crc64nvme'), 'ae8b14860a799888');
});

test('a stream with a trailing checksum is taken apart and verified', async (t) => {
  const { server, client, Bucket } = await start(t);
  const { Readable } = await import('node:stream');
  const body = randomBytes(200_000);
  const Body = Readable.from([body.subarray(0, 70_000), body.subarray(70_000)]);
  await client.send(new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: body.length }));
  assert.equal(server.objects.get('streamed')?.body?.equals(body), true);
  assert.equal(server.objects.get('streamed')?.checksum?.algorithm, 'crc32');
});

test('a body that is not as its checksum says is refused and not stored', async (t) => {
  const { server, client, Bucket } = await start(t);
  const put = (over: object): Promise<string> =>
    refusal(client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'content', ...over })));
  const other = Buffer.from('other');
  assert.equal(await put({ ChecksumSHA256: sha256Base64(other) }), '400 BadDigest');
  assert.equal(await put({ ChecksumCRC32: checksumOf('crc32', other) }), '400 BadDigest');
  assert.equal(await put({ ChecksumCRC64NVME: checksumOf('crc64nvme', other) }), '400 BadDigest');
  assert.equal(
    await put({ ContentMD5: Buffer.from(md5Hex(other), 'hex').toString('base64') }),
    '400 BadDigest',
  );
  client.middlewareStack.add(
    (next) => (args) => {
      // Of a request that is built the SDK says no more than `unknown`.
      const request = args.request as { headers: Record<string, string> };
      request.headers['x-amz-checksum-crc128'] = 'AAAA';
      return next(args);
    },
    { step: 'build' },
  );
  assert.equal(await put({}), '400 InvalidRequest');
  assert.equal(server.objects.size, 0);
});

test('a signature, a token, a region, a clock or a bucket that is wrong is refused as S3 does', async (t) => {
  const { server, client, Bucket } = await start(t);
  const put = new PutObjectCommand({ Bucket, Key: 'key', Body: 'content' });
  const { accessKeyId, secretAccessKey } = server;
  const answerTo = async (over: S3ClientConfig): Promise<string> => {
    const other = clientOf(server, over);
    try {
      return await refusal(other.send(put));
    } finally {
      other.destroy();
    }
  };
  const wrongSecret = { accessKeyId, secretAccessKey: `${secretAccessKey}!` };
  assert.equal(await answerTo({ credentials: wrongSecret }), '403 SignatureDoesNotMatch');
  const stranger = { accessKeyId: 'AKIASTRANGER', secretAccessKey };
  assert.equal(await answerTo({ credentials: stranger }), '403 InvalidAccessKeyId');
  assert.equal(await answerTo({ region: 'eu-west-1' }), '400 AuthorizationHeaderMalformed');
  const noBucket = new PutObjectCommand({ Bucket: 'nobody', Key: 'key', Body: 'content' });
  assert.equal(await refusal(client.send(noBucket)), '404 NoSuchBucket');
  server.setClockSkewMs(16 * 60_000);
  assert.equal(await answerTo({}), '403 RequestTimeTooSkewed');
  server.setClockSkewMs(14 * 60_000);
  await client.send(put);
});

test('credentials are rotated and expire', async (t) => {
  const { server, Bucket } = await start(t);
  const first = { accessKeyId: 'ASIA1', secretAccessKey: 's1', sessionToken: 'token 1' };
  const second = { accessKeyId: 'ASIA2', secretAccessKey: 's2', sessionToken: 'token 2' };
  const put = async (credentials: typeof first): Promise<string> => {
    const client = clientOf(server, { credentials });
    try {
      await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: Buffer.alloc(0) }));
      return 'stored';
    } catch (error) {
      return refusal(Promise.reject(error));
    } finally {
      client.destroy();
    }
  };
  server.setCredentials([first]);
  assert.equal(await put(first), 'stored');
  assert.equal(await put({ ...first, sessionToken: 'other' }), '400 InvalidToken');
  server.setCredentials([{ ...first, expired: true }, second]);
  assert.equal(await put(first), '400 ExpiredToken');
  assert.equal(await put(second), 'stored');
});

test('what was changed after it was signed, or not signed at all, is refused', async (t) => {
  const { server } = await start(t);
  const ask = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(`${server.endpoint}/${server.bucket}/key`, { method: 'PUT', headers });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end('content');
    });
  assert.equal(await ask({}), 403);
  assert.equal(await ask({ authorization: 'AWS4-HMAC-SHA256 nonsense' }), 400);
  const changes: ((request: { headers: Record<string, string>; path: string }) => void)[] = [
    (request) => {
      request.headers['x-amz-meta-later'] = 'unsigned';
    },
    (request) => {
      request.headers['content-type'] = 'text/changed';
    },
    (request) => {
      request.path += '2';
    },
  ];
  for (const change of changes) {
    const changed = clientOf(server);
    changed.middlewareStack.add(
      (next) => (args) => {
        change(args.request as Parameters<typeof change>[0]);
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const put = new PutObjectCommand({
      Bucket: server.bucket,
      Key: 'key',
      Body: 'x',
      ContentType: 'text/plain',
    });
    assert.match(await refusal(changed.send(put)), /^403 (SignatureDoesNotMatch|AccessDenied)$/);
    changed.destroy();
  }
  assert.equal(server.objects.size, 0);
});

test('a bucket elsewhere answers a redirect that names its region', async (t) => {
  const { client, Bucket } = await start(t, { bucketRegion: 'eu-central-1' });
  const failure = await client
    .send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }))
    .then(() => undefined)
    .catch((error: unknown) => error as { name: string; $response?: { headers: Record<string, string> } });
  assert.equal(failure?.name, 'PermanentRedirect');
  assert.equal(failure.$response?.headers['x-amz-bucket-region'], 'eu-central-1');
});

test('If-None-Match keeps what is there', async (t) => {
  const { server, client, Bucket } = await start(t);
  const put = (Body: string) =>
    client.send(new PutObjectCommand({ Bucket, Key: 'key', Body, IfNoneMatch: '*' }));
  await put('first');
  assert.equal(await refusal(put('second')), '412 PreconditionFailed');
  server.faults.add({ when: (request) => request.op === 'PutObject', times: 1, do: CONFLICT });
  assert.equal(await refusal(put('third')), '409 ConditionalRequestConflict');
  assert.equal(server.objects.get('key')?.body?.toString(), 'first');
  assert.equal(server.objects.get('key')?.puts, 1);
});

test('keys are listed in UTF-8 byte order, in pages, however they are spelled', async (t) => {
  const { server, client, Bucket } = await start(t);
  const keys = ['a&b', 'a b', 'a+b', 'a/1', 'a/2', 'a<', 'é', '\uffe5', '\u{1F6A2}', '\u0001', 'a\rb'];
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  server.place('placed', Buffer.from('placed'));
  const expected = [...keys, 'placed'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const listed: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const more = ContinuationToken === undefined ? {} : { ContinuationToken };
    const list = new ListObjectsV2Command({ Bucket, MaxKeys: 5, EncodingType: 'url', ...more });
    const page = await client.send(list);
    for (const object of page.Contents ?? []) {
      listed.push(decodeURIComponent((object.Key ?? '').replaceAll('+', ' ')));
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  assert.deepEqual(listed, expected);
  const below = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/', StartAfter: 'a/1' }));
  assert.deepEqual(
    below.Contents?.map((object) => [object.Key, object.Size]),
    [['a/2', 3]],
  );
  server.remove('a/2');
  const after = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/' }));
  assert.deepEqual(
    after.Contents?.map((object) => object.Key),
    ['a/1'],
  );
});

test('a multipart upload keeps the rules about parts, and its commit is conditional', async (t) => {
  const { server, client, Bucket } = await start(t);
  const Key = 'large';
  const body = randomBytes(5 * 2 ** 20 + 1_000);
  const pieces = [body.subarray(0, 5 * 2 ** 20), body.subarray(5 * 2 ** 20)];
  const create = new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256' });
  const { UploadId } = await client.send(create);
  const upload = { Bucket, Key, UploadId };
  const Parts: { PartNumber: number; ETag: string | undefined; ChecksumSHA256: string }[] = [];
  for (const [index, Body] of pieces.entries()) {
    const ChecksumSHA256 = sha256Base64(Body);
    const part = { PartNumber: index + 1, ChecksumSHA256 };
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, ...part, Body }));
    Parts.push({ ...part, ETag });
  }
  const wrong = { PartNumber: 3, Body: 'x', ChecksumSHA256: sha256Base64(Buffer.from('y')) };
  assert.equal(await refusal(client.send(new UploadPartCommand({ ...upload, ...wrong }))), '400 BadDigest');
  const listed = await client.send(new ListPartsCommand(upload));
  assert.deepEqual(
    listed.Parts?.map((part) => part.Size),
    pieces.map((piece) => piece.length),
  );
  const complete = (parts: object[]) => {
    const over = { IfNoneMatch: '*', MultipartUpload: { Parts: parts } };
    return client.send(new CompleteMultipartUploadCommand({ ...upload, ...over }));
  };
  assert.equal(await refusal(complete(Parts.toReversed())), '400 InvalidPartOrder');
  assert.equal(await refusal(complete([{ ...Parts[0], ETag: '"no"' }])), '400 InvalidPart');
  const bare = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  assert.equal(await refusal(complete(bare)), '400 InvalidRequest');
  const done = await complete(Parts);
  assert.equal(done.ETag, `"${multipartEtag(body, 5 * 2 ** 20)}"`);
  assert.equal(server.objects.get(Key)?.body?.equals(body), true);
  assert.equal(server.uploads.size, 0);
  assert.equal(await refusal(complete(Parts)), '412 PreconditionFailed');
});

test('a part below 5 MiB that is not the last is refused at the commit', async (t) => {
  const { client, Bucket } = await start(t);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
  const upload = { Bucket, Key: 'k', UploadId };
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (const PartNumber of [1, 2]) {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: 'small' }));
    Parts.push({ PartNumber, ETag });
  }
  const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
  assert.equal(await refusal(client.send(complete)), '400 EntityTooSmall');
});

test('with SSE-KMS the ETag says nothing about the content', async (t) => {
  const { server, client, Bucket } = await start(t, { sse: 'kms' });
  const put = await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'content' }));
  assert.equal(put.ServerSideEncryption, 'aws:kms');
  assert.match(put.ETag ?? '', /^"[0-9a-f]{32}"$/);
  assert.notEqual(put.ETag, `"${server.objects.get('key')?.md5Hex}"`);
});

test('what is denied is denied, and a free key is not told to who may not list', async (t) => {
  const { server, client, Bucket } = await start(t, { deny: ['read', 'list'] });
  await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }));
  const get = (Key: string) => refusal(client.send(new GetObjectCommand({ Bucket, Key })));
  assert.equal(await get('key'), '403 AccessDenied');
  assert.equal(await refusal(client.send(new ListObjectsV2Command({ Bucket }))), '403 AccessDenied');
  server.deny(['list', 'put']);
  assert.equal(await get('none'), '403 AccessDenied');
  const put = new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' });
  assert.equal(await refusal(client.send(put)), '403 AccessDenied');
});

test('a key above 1,024 bytes and a query that is not known are refused', async (t) => {
  const { client, Bucket } = await start(t);
  const put = (Key: string) => client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(0) }));
  await put('é'.repeat(512));
  assert.equal(await refusal(put('é'.repeat(513))), '400 KeyTooLongError');
  const grouped = new ListObjectsV2Command({ Bucket, Delimiter: '/' });
  assert.equal(await refusal(client.send(grouped)), '501 NotImplemented');
});

test('without bodies only hashes and sizes are kept', async (t) => {
  const { server, client, Bucket } = await start(t, { keepBodies: false });
  const Body = Buffer.from('content');
  await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body }));
  const object = server.objects.get('key');
  assert.deepEqual(
    [object?.body, object?.sizeBytes, object?.sha256Hex],
    [undefined, 7, createHash('sha256').update(Body).digest('hex')],
  );
});

test('with a key and a certificate it speaks https', async (t) => {
  const tls = await selfSigned(t);
  if (!tls) return t.skip('needs openssl');
  const requestHandler = { httpsAgent: new Agent({ ca: tls.cert }) };
  const { server, client, Bucket } = await start(t, { tls }, { requestHandler });
  assert.match(server.endpoint, /^https:/);
  await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'content' }));
  assert.equal(server.objects.get('key')?.sizeBytes, 7);
});
