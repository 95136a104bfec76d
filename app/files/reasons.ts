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

const REMEDIES: Readonly<Record<Reason, string>> = {
  denied:
    'Let the role do s3:PutObject and s3:ListBucket on this bucket and prefix; `ferry doctor` names what it lacks.',
  'no-bucket': 'Create the bucket, or mend --to.',
  'wrong-region': 'Set --region to the region of the bucket.',
  expired: 'Renew the credentials; in a cluster see that the web identity token is mounted and renewed.',
  skew: "Set this machine's clock right (NTP).",
  'bad-request': 'Read the message: the name is too long for a key, or the store does not know a feature.',
  throttled: 'Nothing: Ferry goes slower by itself. If it lasts, ask who else uses this prefix.',
  unavailable: 'Wait: Ferry tries again by itself. If it lasts, look at the status page of the store.',
  network: 'Check name resolution, proxy (HTTPS_PROXY), VPC endpoint and firewall from this machine.',
  timeout: 'Check the way to the store; raise --request-timeout on a slow line.',
  conflict: 'Nothing: it is tried again.',
  'no-space': 'Give the store room.',
  corrupt: 'Nothing at first: it is sent again. If it lasts, suspect a proxy or the memory of this machine.',
  'bad-listing':
    'See what answers in the place of the store: a listing broke its own rules, so nothing is concluded from it.',
  unreadable: "Let Ferry's user read the files: the same user as the writer, or a shared group.",
  busy: 'Raise the limit of open files or memory of this process.',
  'io-error': 'Look at the disk: the kernel log says what fails.',
  internal: 'Report it with the log line of the file.',
  'cannot-delete':
    'Let Ferry write to the directory: the same user as the writer, or a shared group with umask 002.',
};

/** What to do about files that fail for this reason, as a sentence; undefined for a reason that is not known. */
export function remedyOf(reason: string): string | undefined {
  return Object.entries(REMEDIES).find(([known]) => known === reason)?.[1];
}
