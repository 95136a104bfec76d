// All rules about documents: what a role may do, who may take it, and what its bucket refuses.
import type { RoleInReview } from '../iam/places.ts';
import { grantsNothing } from './bucket/grants-nothing.ts';
import { noDeleting } from './bucket/no-deleting.ts';
import { noOverwriting } from './bucket/no-overwriting.ts';
import { bucketOneWayIn } from './bucket/one-way-in.ts';
import { bucketOneWriter } from './bucket/one-writer.ts';
import { bucketTls } from './bucket/tls.ts';
import { bucketTlsVersion } from './bucket/tls-version.ts';
import { cannotDelete } from './iam/cannot-delete.ts';
import { cannotGrant } from './iam/cannot-grant.ts';
import { cannotRead } from './iam/cannot-read.ts';
import { keyThroughS3 } from './iam/key-through-s3.ts';
import { leastActions } from './iam/least-actions.ts';
import { listBelow } from './iam/list-below.ts';
import { namedActions } from './iam/named-actions.ts';
import { namedResources } from './iam/named-resources.ts';
import { oneWayIn } from './iam/one-way-in.ts';
import { trustExact } from './iam/trust-exact.ts';
import { trustInside } from './iam/trust-inside.ts';
import { iamUnderstood } from './iam/understood.ts';
import type { Rule } from './rule.ts';

export const ROLE_RULES: readonly Rule<RoleInReview>[] = [
  iamUnderstood,
  namedActions,
  namedResources,
  leastActions,
  cannotRead,
  cannotDelete,
  cannotGrant,
  listBelow,
  keyThroughS3,
  oneWayIn,
  trustExact,
  trustInside,
  bucketTls,
  bucketTlsVersion,
  noOverwriting,
  bucketOneWriter,
  noDeleting,
  grantsNothing,
  bucketOneWayIn,
];
