// What S3 costs. One place, one date: check the sources before quoting.

export type StorageClass = 'STANDARD' | 'STANDARD_IA' | 'GLACIER_IR' | 'DEEP_ARCHIVE';

export interface ClassPrice {
  /** US dollars for 2^30 bytes kept for a month; the first 50 TB. */
  readonly perGibMonth: number;
  /** US dollars for 1,000 objects that a lifecycle rule moves there; 0 where they are put directly. */
  readonly transitionPer1000: number;
  /** Smaller objects are billed as if they had this size. */
  readonly minBilledBytes: number;
  /** Added to each object: billed in the class itself, and in STANDARD. */
  readonly overheadBytes: number;
  readonly standardOverheadBytes: number;
}

export const PRICES = {
  asOf: '2026-11-21',
  region: 'us-east-1',
  sources: [
    'https://aws.amazon.com/s3/pricing/',
    'https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html',
  ],
  /** PUT, COPY, POST and LIST in STANDARD; a refused conditional PUT is billed too. */
  putPer1000: 0.005,
  listPer1000: 0.005,
} as const;

const none = { transitionPer1000: 0, minBilledBytes: 0, overheadBytes: 0, standardOverheadBytes: 0 };

export const CLASSES: Readonly<Record<StorageClass, ClassPrice>> = {
  STANDARD: { ...none, perGibMonth: 0.023 },
  STANDARD_IA: { ...none, perGibMonth: 0.0125, transitionPer1000: 0.01, minBilledBytes: 131_072 },
  GLACIER_IR: { ...none, perGibMonth: 0.004, transitionPer1000: 0.02, minBilledBytes: 131_072 },
  DEEP_ARCHIVE: {
    perGibMonth: 0.00099,
    transitionPer1000: 0.05,
    minBilledBytes: 0,
    overheadBytes: 32_768,
    standardOverheadBytes: 8_192,
  },
};
