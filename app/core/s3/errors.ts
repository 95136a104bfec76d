// From what a server, a socket or the SDK said to a StoreError: which fault, and one sentence of what, where and why.
import { errnoOf, messageOf, StoreError, type StoreFault } from '../errors.ts';
import { type Answer, ExchangeError } from './http.ts';
import { elementText } from './xml.ts';

/** What was tried and where, for messages. */
export interface Place {
  /** S3's own name of the call, e.g. `PutObject`. */
  readonly operation: string;
  /** `s3://bucket/key`. */
  readonly target: string;
  readonly endpoint: string;
  readonly region: string;
}

/** What is known of a refusal, from XML or from the SDK. */
export interface Refusal {
  readonly status: number;
  /** '' when the answer named none. */
  readonly code: string;
  /** The server's own sentence. */
  readonly message: string;
  readonly requestId: string;
  readonly bucketRegion: string;
  readonly retryAfter: string;
  /** The server's `Date` header. */
  readonly date: string;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const FAULT_OF_CODE: Readonly<Record<string, StoreFault>> = {
  AuthorizationHeaderMalformed: 'wrong-region',
  BadDigest: 'corrupt',
  ConditionalRequestConflict: 'conflict',
  ExpiredToken: 'expired',
  ExpiredTokenException: 'expired',
  IDPCommunicationError: 'unavailable',
  IllegalLocationConstraintException: 'wrong-region',
  IncompleteBody: 'network',
  InternalError: 'unavailable',
  InvalidDigest: 'corrupt',
  NoSuchBucket: 'no-bucket',
  OperationAborted: 'conflict',
  PermanentRedirect: 'wrong-region',
  RequestExpired: 'skew',
  RequestLimitExceeded: 'throttled',
  RequestTimeTooSkewed: 'skew',
  RequestTimeout: 'timeout',
  SlowDown: 'throttled',
  TemporaryRedirect: 'wrong-region',
  TokenRefreshRequired: 'expired',
  TooManyRequestsException: 'throttled',
  XAmzContentChecksumMismatch: 'corrupt',
  XAmzContentSHA256Mismatch: 'corrupt',
};

const FAULT_OF_STATUS: Readonly<Record<number, StoreFault>> = {
  301: 'wrong-region',
  307: 'wrong-region',
  401: 'denied',
  403: 'denied',
  408: 'timeout',
  409: 'conflict',
  429: 'throttled',
  500: 'unavailable',
  502: 'unavailable',
  503: 'throttled',
  504: 'unavailable',
  507: 'no-space',
};

/** The fault of an answer that is not a success. The code decides; the status where the code is unknown. */
export function faultOf(status: number, code: string): StoreFault {
  const known = FAULT_OF_CODE[code];
  if (known !== undefined) return known;
  if (/Throttl|SlowDown/.test(code)) return 'throttled';
  // The key for the bucket's encryption is disabled, deleted or not allowed: no other file will fare better.
  if (code.startsWith('KMS.')) return 'denied';
  // A success that is none: something answers in the server's place.
  return FAULT_OF_STATUS[status] ?? (status > 501 || status < 300 ? 'unavailable' : 'bad-request');
}

/** Whether other credentials, or fresh ones, might be taken. */
export function blamesCredentials(status: number, code: string): boolean {
  const fault = faultOf(status, code);
  return fault === 'expired' || fault === 'skew' || code === 'InvalidAccessKeyId' || code === 'InvalidToken';
}

export function answerError(place: Place, answer: Answer, nowMs: number): StoreError {
  const text = (name: string) => elementText(answer.body, name) ?? '';
  const header = (name: string) => String(answer.headers[name] ?? '');
  return refusalError(
    place,
    {
      status: answer.status,
      code: text('Code'),
      message: text('Message'),
      requestId: text('RequestId') || header('x-amz-request-id'),
      bucketRegion: text('Region') || header('x-amz-bucket-region'),
      retryAfter: header('retry-after'),
      date: header('date'),
    },
    nowMs,
  );
}

export function refusalError(place: Place, refusal: Refusal, nowMs: number, cause?: unknown): StoreError {
  const fault = faultOf(refusal.status, refusal.code);
  const said = oneLine(refusal.message);
  const request = refusal.requestId === '' ? '' : `; request ${oneLine(refusal.requestId)}`;
  const message =
    `${place.operation} ${place.target} at ${place.endpoint} failed: ` +
    `${oneLine(refusal.code) || 'no error code'}${said === '' ? '' : `: ${said}`} ` +
    `(HTTP ${refusal.status}${request})${hint(fault, place, refusal, nowMs)}`;
  return new StoreError(fault, message, {
    code: refusal.code,
    retryAfterMs: retryAfterMs(refusal.retryAfter, nowMs),
    cause,
  });
}

function hint(fault: StoreFault, place: Place, refusal: Refusal, nowMs: number): string {
  if (fault === 'wrong-region') {
    const right = oneLine(refusal.bucketRegion);
    return right === '' || right === place.region
      ? `. The request was signed for the region ${place.region}; set --region to the bucket's own.`
      : `. The bucket is in the region ${right}, not ${place.region}: set --region ${right}.`;
  }
  if (fault === 'skew') {
    const serverMs = Date.parse(refusal.date);
    if (!Number.isFinite(serverMs)) return ". Set this machine's clock.";
    const seconds = Math.round(Math.abs(serverMs - nowMs) / 1_000);
    return `. This machine's clock is ${seconds} s ${nowMs < serverMs ? 'behind' : 'ahead of'} the server's: set it.`;
  }
  if (fault === 'no-bucket') return '. Make the bucket first, or mend its name.';
  return '';
}

/** Retry-After as seconds or as a date -> milliseconds from now; undefined when absent or unreadable. */
export function retryAfterMs(value: string, nowMs: number): number | undefined {
  if (value === '') return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Math.round(Number(value) * 1_000);
  const atMs = Date.parse(value);
  return Number.isFinite(atMs) ? Math.max(0, atMs - nowMs) : undefined;
}

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

/** For a request that got no whole answer. */
export function transportError(place: Place, error: unknown): StoreError {
  const where = `${place.operation} ${place.target} at ${place.endpoint}`;
  const code = errnoOf(error) ?? '';
  const why = oneLine(messageOf(error)).replace(/\.$/, '') || code || 'no reason given';
  if (error instanceof ExchangeError && error.reason === 'aborted') {
    return new StoreError('aborted', `${where} was stopped.`, { cause: error });
  }
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') {
    return new StoreError('aborted', `${where} was stopped: the store is closed.`, { cause: error });
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return new StoreError('bad-request', `${where} cannot be sent: ${why}.`, { code, cause: error });
  }
  if (TIMEOUT_CODES.has(code) || (error instanceof ExchangeError && error.reason === 'timeout')) {
    return new StoreError('timeout', `${where} got no answer in time: ${why}.`, { code, cause: error });
  }
  return new StoreError('network', `${where} got no answer: ${why}.`, { code, cause: error });
}

/** Text from outside, fit for a log line: no control characters, 400 characters at most. */
function oneLine(text: string): string {
  return text
    .replace(/[\x00-\x20\x7f]+/g, ' ')
    .trim()
    .slice(0, 400);
}
