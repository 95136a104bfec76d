// The store port over S3: writes and listings on a lean path of our own, reading and credentials through the AWS SDK.
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../clock.ts';
import { FerryError, messageOf } from '../errors.ts';
import type { Store } from '../store.ts';
import { type AddressOptions, fullKey, resolveAddress } from './address.ts';
import { createCaller } from './call.ts';
import { type CredentialsProvider, credentialSource, defaultCredentials, sdkHttp } from './credentials.ts';
import { openTransport, proxyFor } from './http.ts';
import { createList } from './list.ts';
import { createPutLarge } from './multipart.ts';
import { createPut, encryptionHeaders } from './put.ts';
import { createReader } from './read.ts';
import type { Credentials } from './sign.ts';

export interface S3StoreOptions extends AddressOptions {
  /** @default the SDK's chain: environment, profile, web identity, container, instance role */
  readonly credentials?: Credentials | CredentialsProvider | undefined;
  /** @default 'none': the bucket's own default encryption */
  readonly sse?: 'none' | 'AES256' | 'aws:kms' | undefined;
  readonly sseKmsKeyId?: string | undefined;
  /** Whether `head` may be called. @default false */
  readonly mayRead?: boolean | undefined;
  /** From sending a request to the head of its answer, and again to its end. @default 30000 */
  readonly requestTimeoutMs?: number | undefined;
  /** @default 64 */
  readonly maxSockets?: number | undefined;
  /** For region, endpoint, proxies and authorities; the credentials chain always reads `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly clock?: Clock | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Sends nothing yet. Throws FerryError `config` when bucket, endpoint, region or the CA bundle cannot be used. */
export async function openS3Store(options: S3StoreOptions): Promise<Store> {
  const env = options.env ?? process.env;
  const clock = options.clock ?? systemClock;
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
  const connectTimeoutMs = Math.min(requestTimeoutMs, CONNECT_TIMEOUT_MS);
  const address = await resolveAddress(options, env);
  const { bucket, prefix } = address;
  const label = `s3://${bucket}/${prefix}`;
  const ca = readBundle(env.AWS_CA_BUNDLE);
  const http = sdkHttp(env, { connectTimeoutMs, requestTimeoutMs }, ca);
  const credentials = credentialSource(
    options.credentials ?? (await defaultCredentials(address.region, options.profile, http)),
    label,
  );
  const transport = await openTransport({
    origin: address.origin,
    maxSockets: options.maxSockets ?? 64,
    connectTimeoutMs,
    ca,
    proxy: proxyFor(address.origin, env),
  });

  const sse = options.sse ?? 'none';
  let etagIsMd5 = sse !== 'aws:kms';
  const onHiddenMd5 = () => {
    etagIsMd5 = false;
  };
  const encryption = encryptionHeaders({ sse, sseKmsKeyId: options.sseKmsKeyId });
  const call = createCaller({ address, transport, credentials, requestTimeoutMs, clock });
  const put = createPut({ address, call, encryption, onHiddenMd5 });
  const list = createList(address, call);
  const isListed = async (full: string, signal: AbortSignal | undefined) => {
    const key = full.slice(prefix.length);
    const { objects } = await list(key, '', signal);
    return objects.some((object) => object.key === key);
  };
  const putLarge = createPutLarge({ call, encryption, requestTimeoutMs, onHiddenMd5, isListed });
  const mayRead = options.mayRead ?? false;
  let closing: Promise<void> | undefined;
  const reader = createReader({ address, credentials, http, mayRead, clock });

  return {
    label,
    get etagIsMd5() {
      return etagIsMd5;
    },
    mayRead,
    put,
    async putLarge(key, source, resume, signal) {
      return putLarge(fullKey(address, key), source, resume, signal);
    },
    list,
    head: reader.head,
    get: reader.get,
    close() {
      closing ??= Promise.all([transport.close(), reader.close()]).then(() => undefined);
      return closing;
    },
  };
}

function readBundle(path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new FerryError(
      'config',
      `The certificate bundle ${path} (AWS_CA_BUNDLE) cannot be read: ${messageOf(error)}.`,
      'Mend the path or its permissions, or unset AWS_CA_BUNDLE.',
      { cause: error },
    );
  }
}
