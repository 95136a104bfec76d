// The files mover's settings.
export interface FilesSettings {
  /** Directory to move, absolute. */
  readonly source: string;
  /** `s3://bucket/prefix` or a local directory. */
  readonly to: string;
  /** Key template below the prefix of `to`. */
  readonly key: string;
  readonly once: boolean;
  readonly settleMs: number;
  readonly retentionMs: number;
  readonly keep: boolean;
  readonly dryRun: boolean;
  /** Undefined: the file system's own size. */
  readonly volumeLimitBytes: number | undefined;
  /** Directory of the ledger. */
  readonly state: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  readonly sse: 'none' | 'AES256' | 'aws:kms';
  readonly sseKmsKeyId: string | undefined;
  /** The role may read: HEAD compares where a listing cannot. */
  readonly mayRead: boolean;
  /** PUTs in flight at most. */
  readonly concurrency: number;
  readonly requestTimeoutMs: number;
  readonly proveEveryMs: number;
  readonly walkEveryMs: number;
  /** Share of one core a walk may use, 0..1. */
  readonly walkCpuShare: number;
  readonly highWatermark: number;
  readonly lowWatermark: number;
  readonly criticalWatermark: number;
  readonly drainMs: number;
  /** `host:port` of /metrics, /livez and /readyz; undefined: no server. */
  readonly listen: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly summaryEveryMs: number;
}
