// What the Pulumi program declares for settings of a test: the real documents and objects that rules and proofs are tried
// on, and weakened.
import assert from 'node:assert/strict';
import { declaredByContent } from '../../policies/deployed.ts';
import type { RoleInReview } from '../../policies/iam/places.ts';
import type { TargetInReview } from '../../policies/target.ts';
import { LEAST, settingsFile } from '../manifests/targets.ts';

export type Variant = Readonly<Record<string, string>>;

export const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
/** One service account of one cluster, a prefix of one bucket, S3's own keys. */
export const PLAIN: Variant = {
  region: 'eu-central-1',
  prefix: 'site-1',
  'oidc-issuer': 'https://oidc.eks.eu-central-1.amazonaws.com/id/ABC',
};
/** The same with everything that may be asked for: a key, one way in, archives. */
export const FULL: Variant = {
  ...PLAIN,
  encryption: 'sse-kms',
  'kms-key': KEY,
  'vpc-endpoint': 'vpce-0123456789abcdef0',
  'instant-retrieval-days': '30',
  'deep-archive-days': '365',
};

export const EVENTS_ROLE = 'arn:aws:iam::111122223333:role/ferry-events';
const EVENTS = `  ferry-events:settings: events.yaml\n  ferry-events:role-arn: ${EVENTS_ROLE}\n`;
const EVENTS_FILE = [
  'url: https://api.example.com/v1',
  `s3_bucket: ${LEAST.aws.bucket}`,
  's3_key: events',
  'events: [charge]',
  '',
].join('\n');

/** Called `test`, with a bucket on AWS; files and, beside their prefix, events, each with its role. */
export function targetWith(variant: Variant): Promise<TargetInReview> {
  const events = variant.prefix === undefined ? '' : EVENTS;
  const content = `${settingsFile({ ...LEAST.aws, cluster: 'staging', ...variant })}${events}`;
  return declaredByContent('test', content, () => EVENTS_FILE, 'synthesized');
}

/** The uploader's role of a target. */
export function roleOf({ roles }: TargetInReview): RoleInReview {
  return roles[0] ?? assert.fail('no role');
}

/** The role of events. */
export function eventsRoleOf({ roles }: TargetInReview): RoleInReview {
  return roles.find(({ arn }) => arn === EVENTS_ROLE) ?? assert.fail('no role of events');
}
