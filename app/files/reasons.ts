// Why files fail, as ends of a sentence that begins with "3 files": the reasons themselves are for machines.
import type { StoreFault } from '../core/errors.ts';
import type { ReadFault } from './read.ts';

/** What the mover never counts as a failure: the file or Ferry went away. */
type Silent = 'aborted' | 'vanished' | 'changed';
type Reason = Exclude<StoreFault | ReadFault, Silent> | 'cannot-delete' | 'internal';

const CLAUSES: Readonly<Record<Reason, string>> = {
  denied: 'are refused by the store',
  'no-bucket': 'have no bucket to go to',
  'wrong-region': 'are sent to the wrong region',
  expired: 'are refused because the credentials have expired',
  skew: "are refused because this machine's clock is wrong",
  'bad-request': 'cannot be taken by the store as they are',
  throttled: 'are slowed down by the store',
  unavailable: 'wait for a store that is not available',
  network: 'wait for a store that cannot be reached',
  timeout: 'got no answer from the store in time',
  conflict: 'met another upload of the same key',
  'no-space': 'find no space in the store',
  corrupt: 'arrived damaged',
  'bad-listing': 'wait for a listing that can be trusted',
  unreadable: 'may not be read by this user',
  busy: 'wait for descriptors or memory',
  'io-error': 'cannot be read because the disk fails',
  internal: 'fail by a defect in Ferry',
  'cannot-delete': 'may not be deleted by this user',
};

/** `40 files are refused by the store (denied)`; several joined by commas, the most frequent first; '' for none. */
export function reasonsClause(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .filter(([, files]) => files > 0)
    .sort((a, b) => b[1] - a[1])
    .map(
      ([reason, files]) => `${files} ${files === 1 ? 'file' : 'files'} ${clause(reason, files)} (${reason})`,
    )
    .join(', ');
}

function clause(reason: string, files: number): string {
  const text = Object.entries(CLAUSES).find(([known]) => known === reason)?.[1] ?? 'fail';
  if (files !== 1) return text;
  return text.replace(/^(are|have|wait|find|fail)\b/, (verb) => SINGULAR[verb] ?? verb);
}

const SINGULAR: Readonly<Record<string, string>> = {
  are: 'is',
  have: 'has',
  wait: 'waits',
  find: 'finds',
  fail: 'fails',
};
