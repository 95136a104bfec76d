// A bucket's own settings as Pulumi's resources hold them, and rules about one.
import type { Found, Rule, RuleText } from './rule.ts';

/** One rule in the spelling of `aws.s3.BucketLifecycleConfiguration`. */
export interface LifecycleInReview {
  readonly id: string;
  readonly status: string;
  readonly filter?:
    | {
        readonly prefix?: string | undefined;
        readonly objectSizeGreaterThan?: number | undefined;
        readonly and?:
          | { readonly prefix?: string | undefined; readonly objectSizeGreaterThan?: number | undefined }
          | undefined;
      }
    | undefined;
  readonly abortIncompleteMultipartUpload?: { readonly daysAfterInitiation: number } | undefined;
  readonly noncurrentVersionExpiration?: { readonly noncurrentDays: number } | undefined;
  readonly transitions?: readonly { readonly days: number; readonly storageClass: string }[] | undefined;
  readonly expiration?: { readonly days?: number | undefined } | undefined;
}

/** What is missing was not declared. */
export interface BucketInReview {
  readonly bucket: string;
  readonly forceDestroy?: boolean | undefined;
  /** Pulumi's `protect`; undefined where the tool does not tell. */
  readonly protect?: boolean | undefined;
  readonly publicAccessBlock?: Readonly<Record<string, unknown>> | undefined;
  readonly objectOwnership?: string | undefined;
  readonly encryption?:
    | {
        readonly sseAlgorithm: string;
        readonly kmsMasterKeyId?: string | undefined;
        readonly bucketKeyEnabled?: boolean | undefined;
      }
    | undefined;
  readonly versioning?: string | undefined;
  readonly lifecycle: readonly LifecycleInReview[];
}

export function bucketRule(
  text: RuleText,
  check: (bucket: BucketInReview) => string[],
): Rule<BucketInReview> {
  return {
    ...text,
    check: (bucket) => check(bucket).map((what): Found => ({ object: `bucket ${bucket.bucket}`, what })),
  };
}

/** Rules that act. */
export function enabled({ lifecycle }: BucketInReview): LifecycleInReview[] {
  return lifecycle.filter(({ status }) => status === 'Enabled');
}

/** Rules that act on every object. */
export function everywhere({ filter = {} }: LifecycleInReview): boolean {
  const { prefix = '', objectSizeGreaterThan, and } = filter;
  return prefix === '' && objectSizeGreaterThan === undefined && and === undefined;
}
