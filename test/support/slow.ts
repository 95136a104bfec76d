// A store that answers late.
import { setTimeout as wait } from 'node:timers/promises';
import { createGate, type FaultAction } from './s3/faults.ts';

/** Each answer comes so much later; the request was served before. */
export function slowReply(delayMs: number): FaultAction {
  const gate = { ...createGate(), pass: () => wait(delayMs) };
  return { kind: 'hold', gate, at: 'after' };
}
