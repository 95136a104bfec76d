// AWS credentials: the SDK's default chain, held ready for signing, renewed before they expire and after a refusal.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { messageOf, StoreError, type StoreFault } from '../errors.ts';
import { faultOf } from './errors.ts';
import type { Credentials } from './sign.ts';

export type CredentialsProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>;

export interface CredentialSource {
  /** What to sign with at once; undefined when they must be fetched first. */
  ready(nowMs: number): Credentials | undefined;
  /** Rejects with a StoreError that says where they were looked for. */
  fetch(): Promise<Credentials>;
  /** The server does not take these: the next call fetches others, at most every 10 s. */
  refused(credentials: Credentials, nowMs: number): void;
}

/** Asked for new ones this long before the old ones end; the SDK's chain renews in the same window. */
const RENEW_BEFORE_MS = 300_000;
/** Whoever issues them is not asked at the pace of failing puts. */
const RENEW_AGAIN_MS = 10_000;

export function credentialSource(given: Credentials | CredentialsProvider, label: string): CredentialSource {
  const provider: CredentialsProvider = typeof given === 'function' ? given : async () => given;
  let held: Credentials | undefined;
  let stale = false;
  let distrustedAtMs = Number.NEGATIVE_INFINITY;
  let pending: Promise<Credentials> | undefined;

  async function renew(): Promise<Credentials> {
    try {
      held = await provider({ forceRefresh: stale });
      stale = false;
      return held;
    } catch (error) {
      throw credentialsError(error, label);
    } finally {
      pending = undefined;
    }
  }

  return {
    ready(nowMs) {
      if (held === undefined || stale) return undefined;
      const endsMs = held.expiration?.getTime();
      return endsMs === undefined || endsMs - nowMs > RENEW_BEFORE_MS ? held : undefined;
    },
    fetch() {
      pending ??= renew();
      return pending;
    },
    refused(credentials, nowMs) {
      if (credentials !== held || nowMs - distrustedAtMs < RENEW_AGAIN_MS) return;
      distrustedAtMs = nowMs;
      stale = true;
    },
  };
}

/**
 * The SDK's HTTP settings: proxies as the environment says, bounded in time, one bundle of authorities. The agents are made
 * when the SDK takes them: it often needs none, and Node's `https` is 4 MiB resident.
 */
export interface SdkHttp {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly throwOnRequestTimeout: true;
  /** Closes the connections of the agents there are. */
  close(): void;
}

export function sdkHttp(
  env: NodeJS.ProcessEnv,
  timeouts: { readonly connectTimeoutMs: number; readonly requestTimeoutMs: number },
  ca: string | undefined,
): SdkHttp {
  const agent = { keepAlive: true, proxyEnv: env };
  let httpAgent: HttpAgent | undefined;
  let httpsAgent: HttpsAgent | undefined;
  return {
    get httpAgent() {
      httpAgent ??= new HttpAgent(agent);
      return httpAgent;
    },
    get httpsAgent() {
      httpsAgent ??= new HttpsAgent(ca === undefined ? agent : { ...agent, ca });
      return httpsAgent;
    },
    connectionTimeout: timeouts.connectTimeoutMs,
    requestTimeout: timeouts.requestTimeoutMs,
    throwOnRequestTimeout: true,
    close() {
      httpAgent?.destroy();
      httpsAgent?.destroy();
    },
  };
}

/**
 * The SDK's default chain: environment, profile, web identity, container, instance role; files are read anew each time.
 * It reads `process.env` itself and keeps what it found until shortly before it expires.
 */
export async function defaultCredentials(
  region: string,
  profile: string | undefined,
  http: SdkHttp,
): Promise<CredentialsProvider> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const chain = defaultProvider({
    ...(profile === undefined ? {} : { profile }),
    clientConfig: { region, requestHandler: http },
    ignoreCache: true,
  });
  return (options) => chain(options);
}

interface SdkFailure {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function credentialsError(error: unknown, label: string): StoreError {
  if (error instanceof StoreError) return error;
  const said = messageOf(error).replace(/\s+/g, ' ').slice(0, 400);
  // Errors of the SDK carry these two; anything else has neither.
  const { name = '', $metadata } = (error instanceof Error ? error : {}) as SdkFailure;
  if (name === 'CredentialsProviderError') {
    return new StoreError(
      'denied',
      `No AWS credentials for ${label}: ${said}. Looked in the environment, the profile, web identity, the ` +
        'container and the instance role: give one of them.',
      { code: 'NoCredentials', cause: error },
    );
  }
  const status = $metadata?.httpStatusCode;
  const fault: StoreFault =
    name === 'TimeoutError' ? 'timeout' : status === undefined ? 'network' : stsFault(status, name);
  return new StoreError(fault, `AWS credentials for ${label} could not be renewed: ${name}: ${said}`, {
    code: name,
    cause: error,
  });
}

function stsFault(status: number, code: string): StoreFault {
  if (code === 'InvalidIdentityToken' || code === 'InvalidIdentityTokenException') return 'expired';
  return faultOf(status, code);
}
