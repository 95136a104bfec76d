// A claim on a piece of work, so that several workers do not do it twice: a lease made of keys that are written only if
// free, with its epoch and its end in their names. It saves double work and nothing more: the seal alone decides.
//
//   <work>/claim-00001                          whoever writes it first holds epoch 1
//   <work>/claim-00001,until=1795600000000      renewed by a later end; nothing is read, nothing overwritten
//   <work>/claim-00001,released                 free again
//
// Ends are by the holder's clock: a clock that is wrong costs double work, never data. A claim without an end (its
// holder died, or has just begun) is held for one lease from when it was first seen.
import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { listAll } from './listing.ts';
import { putOnce, type StorePorts } from './put-once.ts';

export interface ClaimPorts extends StorePorts {
  readonly clock: Clock;
}

export interface Claim {
  readonly epoch: number;
  /** Holds it for another lease from now. */
  renew(): Promise<void>;
  /** Lets others have it at once. */
  release(): Promise<void>;
}

export type ClaimAnswer =
  | { readonly claim: Claim }
  /** Somebody else's; worth another look from then on, wall clock in milliseconds. */
  | { readonly heldUntilMs: number };

/** A worker's claims. `leaseMs`: how long a claim holds without being renewed. */
export interface Claims {
  /** @param work the prefix of this piece of work's claims; ends in `/` */
  take(work: string): Promise<ClaimAnswer>;
}

/** What a listing says about a piece of work. */
export interface ClaimState {
  /** 0: never claimed. */
  readonly epoch: number;
  /** Undefined when no end is written. */
  readonly untilMs: number | undefined;
  readonly released: boolean;
}

const CLAIM = /^claim-(\d{5,})(?:,until=(\d{1,16})|(,released))?$/;

/** The newest epoch among the keys below `work`. */
export function claimState(work: string, keys: Iterable<string>): ClaimState {
  let state: ClaimState = { epoch: 0, untilMs: undefined, released: false };
  for (const key of keys) {
    const match = key.startsWith(work) ? CLAIM.exec(key.slice(work.length)) : null;
    if (!match) continue;
    const epoch = Number(match[1]);
    if (epoch < state.epoch) continue;
    if (epoch > state.epoch) state = { epoch, untilMs: undefined, released: false };
    const untilMs = match[2] === undefined ? undefined : Number(match[2]);
    if (untilMs !== undefined && untilMs > (state.untilMs ?? 0)) state = { ...state, untilMs };
    if (match[3] !== undefined) state = { ...state, released: true };
  }
  return state;
}

export function createClaims(ports: ClaimPorts, leaseMs: number): Claims {
  const { store, clock, signal } = ports;
  const firstSeenMs = new Map<string, number>();

  async function look(work: string): Promise<ClaimState> {
    const keys: string[] = [];
    for await (const { key } of listAll(
      { list: (prefix, after) => ports.retry(() => store.list(prefix, after, signal), signal) },
      work,
      '',
      signal,
    ))
      keys.push(key);
    return claimState(work, keys);
  }

  /** 0 when it is free. */
  function heldUntil(work: string, { epoch, untilMs, released }: ClaimState): number {
    if (epoch === 0 || released) return 0;
    if (untilMs !== undefined) return untilMs > clock.now() ? untilMs : 0;
    const name = `${work}${epoch}`;
    const seenMs = firstSeenMs.get(name) ?? clock.now();
    firstSeenMs.set(name, seenMs);
    return seenMs + leaseMs > clock.now() ? seenMs + leaseMs : 0;
  }

  return {
    async take(work) {
      const state = await look(work);
      const heldUntilMs = heldUntil(work, state);
      if (heldUntilMs > 0) return { heldUntilMs };
      const epoch = state.epoch + 1;
      const key = `${work}claim-${String(epoch).padStart(5, '0')}`;
      // No two claims have the same content: the answer to a retry tells one's own from another's.
      const standing = await putOnce(ports, key, Buffer.from(randomUUID()));
      if (standing !== 'created' && standing !== 'same') return { heldUntilMs: clock.now() + leaseMs };
      const note = async (text: string) => void (await putOnce(ports, `${key},${text}`, Buffer.alloc(0)));
      const renew = () => note(`until=${clock.now() + leaseMs}`);
      await renew();
      return { claim: { epoch, renew, release: () => note('released') } };
    },
  };
}
