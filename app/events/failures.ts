// How units and runs fail: which kind, in a word for a key and in sentences for people; and the note a failed unit leaves.
import { type ExitName, FerryError, isTransient, messageOf, StoreError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { putOnce, type StorePorts } from '../core/put-once.ts';
import { ApiError } from './api/errors.ts';
import { FlattenCollision } from './flatten.ts';
import type { Secret } from './secret.ts';
import { failureKey, type Unit, unitName } from './units.ts';

export interface Failure {
  readonly exit: ExitName;
  /** Small letters, digits and dashes. */
  readonly reason: string;
  readonly message: string;
  /** The request that failed; empty where there is none. */
  readonly curl: string;
}

/** What an error of a unit means. The stop of the whole run is no failure of the unit: undefined. */
export function failureOf(error: unknown): Failure | undefined {
  const message = messageOf(error);
  if (error instanceof ApiError) {
    if (error.fault === 'aborted') return undefined;
    const { curl, status } = error;
    const word =
      error.fault === 'transient' ? 'unreachable' : error.fault === 'refused' ? 'refused' : 'bad-answer';
    const reason = error.fault === 'data' || status === 0 ? word : `http-${status}`;
    return { exit: error.fault === 'transient' ? 'transient' : 'data', reason, message, curl };
  }
  if (error instanceof StoreError) {
    if (error.fault === 'aborted') return undefined;
    return {
      exit: isTransient(error) ? 'transient' : 'store',
      reason: `store-${error.fault}`,
      message,
      curl: '',
    };
  }
  if (error instanceof FlattenCollision)
    return { exit: 'data', reason: 'flatten', message: `a record cannot be flattened: ${message}`, curl: '' };
  if (error instanceof FerryError) return { exit: error.exit, reason: error.exit, message, curl: '' };
  return { exit: 'internal', reason: 'internal', message, curl: '' };
}

/** The exit of a run from those of its failed units: what a person must look at first comes first, then what mends itself. */
export function worstExit(exits: readonly ExitName[]): ExitName {
  const order: readonly ExitName[] = ['internal', 'config', 'store', 'transient', 'data'];
  return order.find((exit) => exits.includes(exit)) ?? 'ok';
}

/** Leaves a note beside the data, so that `ferry events status` knows the reason. A store that fails is only logged. */
export async function noteFailure(
  stores: readonly StorePorts[],
  unit: Unit,
  failure: Failure,
  at: { readonly nowMs: number; readonly key: Secret; readonly log: Log },
): Promise<void> {
  const { reason, message, curl } = failure;
  const note = { ...unit, at: new Date(at.nowMs).toISOString(), reason, message, curl };
  const body = Buffer.from(at.key.mask(`${JSON.stringify(note)}\n`));
  for (const ports of stores) {
    try {
      await putOnce(ports, failureKey(unit, at.nowMs, reason), body);
    } catch (error) {
      at.log.warn(`no note of the failure of ${unitName(unit)} could be left in ${ports.store.label}`, {
        error,
      });
    }
  }
}
