// HEAD and GET through the AWS SDK, loaded at the first of them: moving never reads, and the SDK takes 20 MB.
import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../clock.ts';
import { errnoOf, messageOf, StoreError } from '../errors.ts';
import type { Store } from '../store.ts';
import { type Address, fullKey } from './address.ts';
import type { CredentialSource, SdkHttp } from './credentials.ts';
import { blamesCredentials, type Place, refusalError, transportError } from './errors.ts';
import { ExchangeError } from './http.ts';
import type { Credentials } from './sign.ts';

export interface ReaderOptions {
  readonly address: Address;
  readonly credentials: CredentialSource;
  readonly http: SdkHttp;
  readonly mayRead: boolean;
  readonly clock: Clock;
}

export type Reader = Pick<Store, 'head' | 'get' | 'close'>;

export function createReader(options: ReaderOptions): Reader {
  const { address, credentials, http, mayRead, clock } = options;
  let used: Credentials | undefined;
  let loading: Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined;

  async function load() {
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
      region: address.region,
      endpoint: address.endpoint,
      forcePathStyle: address.pathStyle,
      credentials: async () => {
        used = credentials.ready(clock.now()) ?? (await credentials.fetch());
        const { accessKeyId, secretAccessKey, sessionToken, expiration } = used;
        return {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken === undefined ? {} : { sessionToken }),
          ...(expiration === undefined ? {} : { expiration }),
        };
      },
      maxAttempts: 1,
      requestHandler: http,
    });
    return { sdk, client };
  }

  function failed(place: Place, error: unknown, signal: AbortSignal | undefined): StoreError {
    const mapped = sdkError(place, error, signal, clock);
    if (used && blamesCredentials(statusOf(error) ?? 0, mapped.code)) {
      credentials.refused(used, clock.now());
      // The client keeps what it was given: the next call makes another.
      loading = undefined;
    }
    return mapped;
  }

  function placeOf(operation: string, key: string): Place {
    const target = `s3://${address.bucket}/${key}`;
    return { operation, target, endpoint: address.endpoint, region: address.region };
  }

  return {
    async head(key, signal) {
      const full = fullKey(address, key);
      const place = placeOf('HeadObject', full);
      if (!mayRead)
        throw new StoreError('denied', `${place.operation} ${place.target}: the settings allow no reading.`);
      loading ??= load();
      const { sdk, client } = await loading;
      try {
        const found = await client.send(
          new sdk.HeadObjectCommand({ Bucket: address.bucket, Key: full, ChecksumMode: 'ENABLED' }),
          signal ? { abortSignal: signal } : {},
        );
        const { ContentLength, ETag, ChecksumSHA256, ChecksumType } = found;
        const etag = ETag?.replaceAll('"', '');
        if (ContentLength === undefined || !etag) {
          throw new StoreError(
            'unavailable',
            `${place.operation} ${place.target} was answered without size or ETag.`,
          );
        }
        const whole =
          ChecksumSHA256 !== undefined && ChecksumType !== 'COMPOSITE' && !ChecksumSHA256.includes('-');
        return {
          key,
          sizeBytes: ContentLength,
          etag,
          ...(whole ? { sha256Hex: Buffer.from(ChecksumSHA256, 'base64').toString('hex') } : {}),
        };
      } catch (error) {
        if (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket') return undefined;
        throw failed(place, error, signal);
      }
    },

    async get(key, signal) {
      const full = fullKey(address, key);
      const place = placeOf('GetObject', full);
      loading ??= load();
      const { sdk, client } = await loading;
      try {
        const { Body } = await client.send(
          new sdk.GetObjectCommand({ Bucket: address.bucket, Key: full }),
          signal ? { abortSignal: signal } : {},
        );
        // In Node the SDK's body is a Readable; its type also covers browsers.
        return bytesOf(Body as Readable, place, signal, clock);
      } catch (error) {
        throw failed(place, error, signal);
      }
    },

    async close() {
      if (loading) (await loading).client.destroy();
      http.close();
    },
  };
}

async function* bytesOf(
  body: Readable,
  place: Place,
  signal: AbortSignal | undefined,
  clock: Clock,
): AsyncGenerator<Uint8Array, void, void> {
  if (signal) addAbortSignal(signal, body);
  try {
    yield* body;
  } catch (error) {
    throw sdkError(place, error, signal, clock);
  } finally {
    body.destroy();
  }
}

interface SdkFailure {
  readonly name?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

// Errors of the SDK carry these fields; of any other error they are undefined.
const failureOf = (error: unknown) => (error instanceof Error ? error : {}) as SdkFailure;
const statusOf = (error: unknown) => failureOf(error).$metadata?.httpStatusCode;

/** '' where the SDK had to invent one: the answer to a HEAD has no text. */
function codeOf(error: unknown): string {
  const code = failureOf(error).Code ?? failureOf(error).name ?? '';
  return /^(Unknown|UnknownError|Error|\d+)$/.test(code) ? '' : code;
}

function sdkError(place: Place, error: unknown, signal: AbortSignal | undefined, clock: Clock): StoreError {
  if (error instanceof StoreError) return error;
  if (signal?.aborted) return transportError(place, new ExchangeError('aborted', 'stopped'));
  const status = statusOf(error);
  if (status === undefined || status < 300) {
    if (failureOf(error).name === 'TimeoutError') {
      return transportError(place, new ExchangeError('timeout', messageOf(error)));
    }
    if (/checksum/i.test(messageOf(error)) && errnoOf(error) === undefined) {
      return new StoreError('corrupt', `${place.operation} ${place.target}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return transportError(place, error);
  }
  const { $metadata, $response } = failureOf(error);
  const header = (name: string) => $response?.headers?.[name] ?? '';
  return refusalError(
    place,
    {
      status,
      code: codeOf(error),
      message: messageOf(error) === 'UnknownError' ? '' : messageOf(error),
      requestId: $metadata?.requestId ?? '',
      bucketRegion: header('x-amz-bucket-region'),
      retryAfter: header('retry-after'),
      date: header('date'),
    },
    clock.now(),
    error,
  );
}
