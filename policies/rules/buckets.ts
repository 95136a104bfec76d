// All rules about a bucket's own settings.
import { abortsUploads } from './bucket/aborts-uploads.ts';
import { archiveSizes } from './bucket/archive-sizes.ts';
import { bucketEncryption } from './bucket/encryption.ts';
import { keepsData } from './bucket/keeps-data.ts';
import { oldVersions } from './bucket/old-versions.ts';
import { bucketOwner } from './bucket/owner.ts';
import { bucketProtected } from './bucket/protected.ts';
import { publicAccess } from './bucket/public-access.ts';
import { bucketVersioning } from './bucket/versioning.ts';
import type { BucketInReview } from './bucket-rule.ts';
import type { Rule } from './rule.ts';

export const BUCKET_RULES: readonly Rule<BucketInReview>[] = [
  publicAccess,
  bucketOwner,
  bucketEncryption,
  bucketVersioning,
  abortsUploads,
  keepsData,
  oldVersions,
  archiveSizes,
  bucketProtected,
];
