// `ferry doctor` on a bucket: the way there, the credentials, and a probe for each permission Ferry needs or must not have.
import { hash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../../core/clock.ts';
import { errnoOf, FerryError, messageOf, StoreError } from '../../core/errors.ts';
import { type Address, resolveAddress } from '../../core/s3/address.ts';
import { type Call, type Caller, createCaller } from '../../core/s3/call.ts';
import { credentialSource, defaultCredentials, sdkHttp } from '../../core/s3/credentials.ts';
import { type Answer, openTransport, proxyFor } from '../../core/s3/http.ts';
import { createList } from '../../core/s3/list.ts';
import { base64OfHex, encryptionHeaders } from '../../core/s3/put.ts';
import { type Credentials, encodeQuery } from '../../core/s3/sign.ts';
import { elementText } from '../../core/s3/xml.ts';
import type { DoctorSettings } from '../settings.ts';
import {
  judgeChecksum,
  judgeClock,
  judgeCondition,
  judgeDelete,
  judgeList,
  judgeMultipart,
  judgeOverwrite,
  judgeProof,
  judgePut,
  judgeRead,
  judgeRegion,
  type ProbeAnswer,
} from './answers.ts';
import { checkCredentials } from './credentials.ts';
import { type Finding, fail, ok, unknown } from './finding.ts';
import { checkNetwork } from './network.ts';

export interface S3DoctorIo {
  /** For region, endpoint, proxies and authorities. */
  readonly env: NodeJS.ProcessEnv;
  /** @default the SDK's chain, which reads `process.env` */
  readonly credentials?: Credentials;
  readonly clock?: Clock;
}

/** Probes are small and few: a store that needs longer for one cannot keep up with files. */
const PROBE_TIMEOUT_MS = 10_000;
const NOT_LOOKED_AT = 'Permissions were not looked at, because of what failed before.';

/** Findings about `settings.to`, a bucket. Writes one small object unless `dryRun`. */
export async function checkS3(settings: DoctorSettings, io: S3DoctorIo): Promise<Finding[]> {
  const clock = io.clock ?? systemClock;
  const timeoutMs = Math.min(settings.requestTimeoutMs, PROBE_TIMEOUT_MS);
  let address: Address;
  let ca: string | undefined;
  try {
    ca = readAuthorities(io.env.AWS_CA_BUNDLE);
    address = await resolveAddress({ ...bucketOf(settings.to), ...placeOf(settings) }, io.env);
  } catch (error) {
    const remedy = error instanceof FerryError ? error.remedy : 'Set AWS_REGION, and HOME if it is not set.';
    return [fail('s3.address', messageOf(error), remedy), unknown('s3.permissions', NOT_LOOKED_AT)];
  }
  const way = await checkNetwork(address.origin, io.env, ca, clock.now());
  const findings: Finding[] = [
    ok('s3.address', `The bucket is asked at ${address.endpoint}.`),
    ...way.findings,
  ];

  const http = sdkHttp(io.env, { connectTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs }, ca);
  const given = io.credentials ?? (await defaultCredentials(address.region, undefined, http));
  const credentials = credentialSource(given, settings.to);
  const isAws = /\.amazonaws\.com(\.cn)?$/.test(new URL(address.endpoint).hostname);
  const found = await checkCredentials(() => credentials.fetch(), { env: io.env, isAws, nowMs: clock.now() });
  findings.push(...found.findings);
  if (!way.reachable || found.credentials === undefined) {
    return [...findings, unknown('s3.permissions', NOT_LOOKED_AT)];
  }
  const transport = await openTransport({
    origin: address.origin,
    maxSockets: 1,
    connectTimeoutMs: timeoutMs,
    ca,
    proxy: proxyFor(address.origin, io.env),
  });
  try {
    const call = createCaller({ address, transport, credentials, requestTimeoutMs: timeoutMs, clock });
    findings.push(...(await checkBucket({ settings, address, call, clock })));
  } finally {
    await transport.close();
  }
  return findings;
}

function readAuthorities(file: string | undefined): string | undefined {
  try {
    return file ? readFileSync(file, 'utf8') : undefined;
  } catch (error) {
    throw new FerryError(
      'config',
      `The certificates ${file} (AWS_CA_BUNDLE) cannot be read: ${errnoOf(error) ?? messageOf(error)}.`,
      'Mend the path or its permissions, or unset AWS_CA_BUNDLE.',
    );
  }
}

/** `s3://bucket/a/b` -> bucket and prefix `a/b/`. */
function bucketOf(to: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(to) ?? [];
  const trimmed = path.replace(/\/+$/, '');
  return { bucket, prefix: trimmed === '' ? '' : `${trimmed}/` };
}

function placeOf({ endpoint, region, pathStyle }: DoctorSettings) {
  // False is the setting's default, not a wish: the address knows better when an endpoint is given.
  return { endpoint, region, pathStyle: pathStyle || undefined };
}

interface Bucket {
  readonly settings: DoctorSettings;
  readonly address: Address;
  readonly call: Caller;
  readonly clock: Clock;
}

async function checkBucket(bucket: Bucket): Promise<Finding[]> {
  const { settings, address, clock } = bucket;
  const listed = await ask(bucket, {
    operation: 'ListObjectsV2',
    method: 'GET',
    key: undefined,
    query: `list-type=2&max-keys=1&prefix=${encodeQuery(address.prefix)}`,
  });
  const bucketRegion =
    String(listed.answer?.headers['x-amz-bucket-region'] ?? '') ||
    elementText(listed.answer?.body ?? '', 'Region');
  const findings = [
    judgeClock(listed.answer?.headers.date, clock.now()),
    judgeRegion(bucketRegion, address.region),
    judgeList(listed, address.bucket, address.prefix),
  ];
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = `${stamp}-${randomBytes(6).toString('hex')}`;
  const key = `${address.prefix}.ferry-doctor/${name}`;
  const absent = `${address.prefix}.ferry-doctor/absent-${name}`;

  if (settings.dryRun) {
    findings.push(unknown('s3.put', 'Writing, overwriting and deleting were not tried (--dry-run).'));
    if (isAnswered(listed)) findings.push(judgeRead(await read(bucket, absent), settings.mayRead));
    return findings;
  }
  const put = await checkWriting(bucket, key, findings);
  if (!isAnswered(listed) && !isAnswered(put)) {
    // Credentials that may do nothing at all are refused everything: that says nothing about reading and deleting.
    findings.push(unknown('s3.refusals', 'Whether reading and deleting are refused was not looked at.'));
    return findings;
  }
  findings.push(judgeRead(await read(bucket, isAnswered(put) ? key : absent), settings.mayRead));
  findings.push(judgeDelete(await ask(bucket, { operation: 'DeleteObject', method: 'DELETE', key: absent })));
  return findings;
}

/** Adds the findings of every probe that writes; answers the first, on which the others build. */
async function checkWriting(bucket: Bucket, key: string, findings: Finding[]): Promise<Probed> {
  const { settings, address } = bucket;
  const body = Buffer.from(`Written by \`ferry doctor\` as ${key}. It may be deleted.\n`);
  const sent = { sizeBytes: body.length, md5Hex: hash('md5', body, 'hex') };
  const first = await ask(bucket, putCall(settings, key, body, { onlyIfAbsent: true }));
  findings.push(
    judgePut(first, `s3://${address.bucket}/${key}`, `arn:aws:s3:::${address.bucket}/${address.prefix}*`),
  );
  if (!isAnswered(first)) return first;
  findings.push(judgeCondition(await ask(bucket, putCall(settings, key, body, { onlyIfAbsent: true }))));
  findings.push(judgeOverwrite(await ask(bucket, putCall(settings, key, body, { onlyIfAbsent: false }))));
  findings.push(await checkProof(bucket, key, sent));
  const wrong = putCall(settings, `${key}-wrong-checksum`, body, {
    onlyIfAbsent: true,
    checksumHex: hash('sha256', 'other content', 'hex'),
  });
  findings.push(judgeChecksum(await ask(bucket, wrong)));
  findings.push(await checkMultipart(bucket, `${key}-multipart`));
  return first;
}

function putCall(
  settings: DoctorSettings,
  key: string,
  body: Buffer,
  options: { readonly onlyIfAbsent: boolean; readonly checksumHex?: string },
): Call {
  const sha256Hex = hash('sha256', body, 'hex');
  const checksum = ['x-amz-checksum-sha256', base64OfHex(options.checksumHex ?? sha256Hex)];
  return {
    operation: 'PutObject',
    method: 'PUT',
    key,
    before: options.onlyIfAbsent ? ['if-none-match', '*', ...checksum] : checksum,
    after: encryptionHeaders(settings),
    body,
    sha256Hex,
  };
}

async function checkProof(
  { address, call, settings }: Bucket,
  key: string,
  sent: { sizeBytes: number; md5Hex: string },
): Promise<Finding> {
  const relative = key.slice(address.prefix.length);
  try {
    const page = await createList(address, call)(relative, '', undefined);
    const listed = page.objects.find((object) => object.key === relative);
    return judgeProof(listed, sent, settings.mayRead);
  } catch (error) {
    return unknown('s3.proof', `Which proof is available cannot be told: ${messageOf(error)}`);
  }
}

async function checkMultipart(bucket: Bucket, key: string): Promise<Finding> {
  const created = await ask(bucket, {
    operation: 'CreateMultipartUpload',
    method: 'POST',
    key,
    query: 'uploads=',
    before: ['x-amz-checksum-algorithm', 'SHA256'],
    after: encryptionHeaders(bucket.settings),
  });
  const uploadId = elementText(created.answer?.body ?? '', 'UploadId');
  if (!uploadId) return judgeMultipart(created, undefined);
  const query = `uploadId=${encodeQuery(uploadId)}`;
  const aborted = await ask(bucket, { operation: 'AbortMultipartUpload', method: 'DELETE', key, query });
  return judgeMultipart(created, aborted);
}

function read(bucket: Bucket, key: string): Promise<Probed> {
  return ask(bucket, { operation: 'GetObject', method: 'GET', key });
}

interface Probed extends ProbeAnswer {
  readonly answer: Answer | undefined;
}

const isAnswered = ({ status }: ProbeAnswer) => status >= 200 && status < 300;

/** Asks once, and once more where the first answer was no answer. Never rejects for what a store may say. */
async function ask({ call }: Bucket, request: Call): Promise<Probed> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await call(request);
      if (answer.status < 300) return { status: answer.status, code: '', message: '', answer };
      if (answer.status >= 500 && answer.status !== 501 && attempt < 2) continue;
      const { code, message } = call.refuse(request, answer);
      return { status: answer.status, code, message, answer };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (attempt < 2) continue;
      return { status: 0, code: error.code, message: error.message, answer: undefined };
    }
  }
}
