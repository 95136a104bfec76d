// One signed call to S3: credentials, signature, exchange; every failure leaves as a StoreError.
import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import { StoreError } from '../errors.ts';
import { type Address, keyPathOf } from './address.ts';
import type { CredentialSource } from './credentials.ts';
import { answerError, blamesCredentials, type Place, transportError } from './errors.ts';
import { type Answer, ExchangeError, exchange } from './http.ts';
import { createSigner, EMPTY_SHA256, type Unsigned } from './sign.ts';
import { elementText } from './xml.ts';

export interface Call {
  /** S3's own name of it, for messages. */
  readonly operation: string;
  readonly method: Unsigned['method'];
  /** Full key; undefined: the bucket itself. */
  readonly key: string | undefined;
  /** As Unsigned has it. @default '' */
  readonly query?: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly body?: Buffer;
  readonly sha256Hex?: string;
  /** @default the store's request timeout */
  readonly timeoutMs?: number;
  /** @default 64 KiB */
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves with the answer of any status; rejects with a StoreError when there is none. After an answer that says the
 * credentials expired, the next call fetches new ones.
 */
export interface Caller {
  (call: Call): Promise<Answer>;
  /** The error for an answer that is no success. */
  refuse(call: Call, answer: Answer): StoreError;
}

export interface CallerOptions {
  readonly address: Address;
  readonly transport: Dispatcher;
  readonly credentials: CredentialSource;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

const NONE: readonly string[] = [];
const ANSWER_MAX_BYTES = 64 * 2 ** 10;

export function createCaller(options: CallerOptions): Caller {
  const { address, transport, credentials, requestTimeoutMs, clock } = options;
  const sign = createSigner(address.region);

  function placeOf(call: Call): Place {
    return {
      operation: call.operation,
      target: `s3://${address.bucket}/${call.key ?? address.prefix}`,
      endpoint: address.endpoint,
      region: address.region,
    };
  }

  async function send(call: Call): Promise<Answer> {
    const used = credentials.ready(clock.now()) ?? (await credentials.fetch());
    const path = call.key === undefined ? address.bucketPath : keyPathOf(address, call.key);
    const query = call.query ?? '';
    const headers = sign(
      {
        method: call.method,
        host: address.host,
        path,
        query,
        before: call.before ?? NONE,
        after: call.after ?? NONE,
        sha256Hex: call.sha256Hex ?? EMPTY_SHA256,
      },
      used,
      clock.now(),
    );
    try {
      const answer = await exchange(
        transport,
        address.origin,
        {
          method: call.method,
          path: query === '' ? path : `${path}?${query}`,
          headers,
          body: call.body ?? null,
          timeoutMs: call.timeoutMs ?? requestTimeoutMs,
          maxAnswerBytes: call.maxAnswerBytes ?? ANSWER_MAX_BYTES,
        },
        call.signal,
      );
      if (answer.status >= 400 && blamesCredentials(answer.status, elementText(answer.body, 'Code') ?? ''))
        credentials.refused(used, clock.now());
      return answer;
    } catch (error) {
      throw transportError(placeOf(call), error);
    }
  }

  function refuse(call: Call, answer: Answer): StoreError {
    return answerError(placeOf(call), answer, clock.now());
  }

  return Object.assign(send, { refuse });
}

/** The same refusal for a call that was stopped before it began. */
export function throwIfStopped(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) {
    throw new StoreError('aborted', `${what} was stopped.`, {
      cause: new ExchangeError('aborted', 'stopped'),
    });
  }
}
