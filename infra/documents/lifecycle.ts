// What S3 does to old things by itself: unfinished uploads and old versions go, large objects move to cheaper classes,
// and data stays, unless a setting says otherwise.

const DAYS_OF_DEEP_ARCHIVE = 180;

export interface LifecycleAges {
  readonly prefix?: string | undefined;
  readonly abortUploadsDays: number;
  readonly oldVersionsDays: number;
  readonly instantRetrievalDays?: number | undefined;
  /** Smaller objects stay: Instant Retrieval bills 128 KB at least. */
  readonly instantRetrievalFromBytes: number;
  readonly deepArchiveDays?: number | undefined;
  /** Smaller objects stay: the move costs more than the class saves. */
  readonly deepArchiveFromBytes: number;
  readonly expireDays?: number | undefined;
}

/** Exactly one of these, as S3 requires. */
export interface LifecycleFilter {
  readonly prefix?: string;
  readonly objectSizeGreaterThan?: number;
  readonly and?: { readonly prefix: string; readonly objectSizeGreaterThan: number };
}

/** One rule in the spelling of `aws.s3.BucketLifecycleConfiguration`. */
export interface LifecycleRule {
  readonly id: string;
  readonly status: 'Enabled';
  readonly filter: LifecycleFilter;
  readonly abortIncompleteMultipartUpload?: { readonly daysAfterInitiation: number };
  readonly noncurrentVersionExpiration?: { readonly noncurrentDays: number };
  readonly transitions?: { readonly days: number; readonly storageClass: string }[];
  readonly expiration?: { readonly days: number };
}

/**
 * The ids rise: whether a server keeps the order it was given or sorts, it answers with this one, and a rule is never
 * taken for its neighbour (https://github.com/hashicorp/terraform-provider-aws/issues/41835).
 */
export function lifecycleRules(ages: LifecycleAges): LifecycleRule[] {
  const { prefix, instantRetrievalDays, deepArchiveDays, expireDays } = ages;
  const everywhere: LifecycleFilter = { prefix: '' };
  const data: LifecycleFilter = { prefix: prefix === undefined ? '' : `${prefix}/` };
  const largeData = (fromBytes: number): LifecycleFilter =>
    prefix === undefined
      ? { objectSizeGreaterThan: fromBytes - 1 }
      : { and: { prefix: `${prefix}/`, objectSizeGreaterThan: fromBytes - 1 } };
  const rules: LifecycleRule[] = [
    {
      id: 'abort-unfinished-uploads',
      status: 'Enabled',
      filter: everywhere,
      abortIncompleteMultipartUpload: { daysAfterInitiation: ages.abortUploadsDays },
    },
  ];
  if (deepArchiveDays !== undefined)
    rules.push({
      id: 'archive-in-deep-archive',
      status: 'Enabled',
      filter: largeData(ages.deepArchiveFromBytes),
      transitions: [{ days: deepArchiveDays, storageClass: 'DEEP_ARCHIVE' }],
    });
  if (instantRetrievalDays !== undefined)
    rules.push({
      id: 'archive-in-instant-retrieval',
      status: 'Enabled',
      filter: largeData(ages.instantRetrievalFromBytes),
      transitions: [{ days: instantRetrievalDays, storageClass: 'GLACIER_IR' }],
    });
  rules.push({
    id: 'delete-old-versions',
    status: 'Enabled',
    filter: everywhere,
    noncurrentVersionExpiration: { noncurrentDays: ages.oldVersionsDays },
  });
  if (expireDays !== undefined)
    rules.push({ id: 'expire-data', status: 'Enabled', filter: data, expiration: { days: expireDays } });
  return rules;
}

/** What somebody should know before these rules act; full sentences. */
export function lifecycleWarnings(ages: LifecycleAges): string[] {
  const warnings: string[] = [];
  const { expireDays, deepArchiveDays } = ages;
  if (expireDays !== undefined) {
    const versions = `; its last version goes ${ages.oldVersionsDays} days later`;
    warnings.push(
      `expire-days: S3 deletes every object below the prefix ${expireDays} days after it was written${versions}. Nobody is asked again.`,
    );
    if (deepArchiveDays !== undefined && expireDays < deepArchiveDays + DAYS_OF_DEEP_ARCHIVE)
      warnings.push(
        `expire-days: Deep Archive bills ${DAYS_OF_DEEP_ARCHIVE} days at least, and objects are deleted ${expireDays - deepArchiveDays} days after they move there.`,
      );
  }
  return warnings;
}
