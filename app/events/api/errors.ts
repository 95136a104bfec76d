// What can go wrong with an API, in three kinds: a later try may succeed, it was refused, or it answered nonsense.
import type { Answer } from '../../core/s3/http.ts';

/**
 * - `transient`: network, timeout, truncated body, or a status of the retry table;
 * - `refused`: any other status that is no success;
 * - `data`: a success whose body is not what the description says;
 * - `expired`: the cursor is not known any more: the pages of this day start again;
 * - `aborted`: Ferry is stopping.
 */
export type ApiFault = 'transient' | 'refused' | 'data' | 'expired' | 'aborted';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly fault: ApiFault;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** Whether the API said that it is asked too much. */
  readonly isOverload: boolean;
  /** The request as a curl command, the key masked; empty where it does not help. */
  readonly curl: string;
  constructor(
    fault: ApiFault,
    message: string,
    options: {
      status?: number;
      retryAfterMs?: number | undefined;
      isOverload?: boolean;
      curl?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.status = options.status ?? 0;
    this.retryAfterMs = options.retryAfterMs;
    this.isOverload = options.isOverload ?? false;
    this.curl = options.curl ?? '';
  }
}

/** For the retrier: the error itself when a later try may succeed. */
export function transientApiError(error: unknown): ApiError | undefined {
  return error instanceof ApiError && error.fault === 'transient' ? error : undefined;
}

/** What the server said, on one line, fit for a log. */
export function saidBy(answer: Answer): string {
  return answer.body
    .replace(/[\x00-\x20\x7f]+/g, ' ')
    .trim()
    .slice(0, 300);
}
