// Values that each setting of the files mover takes, as people write them. A new setting has to be added here.
import type { FilesSettings } from '../../app/files/settings.ts';

/** Any choice of one per setting is right together. */
export const SAMPLES: Readonly<Record<keyof FilesSettings, readonly [string, string, ...string[]]>> = {
  source: ['/data/in', '/srv/writer'],
  to: ['s3://bucket-1', 's3://bucket-2/a/b', '/data/out'],
  key: ['{path}', 'dt={date}/hh={hour}/{path}', '{year}/{month}/{day}/{dir}/{name}/{path}'],
  once: ['true', 'false'],
  settleMs: ['0', '5s', '1m'],
  retentionMs: ['0', '24h', '90d'],
  keep: ['true', 'false'],
  dryRun: ['true', 'false'],
  volumeLimitBytes: ['2Gi', '500M', '1024'],
  state: ['/state', '/var/lib/ferry'],
  endpoint: ['http://127.0.0.1:7070', 'https://s3.example.com/base'],
  region: ['eu-central-1', 'us-east-1'],
  pathStyle: ['true', 'false'],
  sse: ['aws:kms', 'aws:kms'],
  sseKmsKeyId: ['alias/ferry', 'arn:aws:kms:eu-central-1:111122223333:key/abc'],
  mayRead: ['true', 'false'],
  concurrency: ['1', '16', '512'],
  requestTimeoutMs: ['1s', '30s'],
  proveEveryMs: ['1s', '2m'],
  walkEveryMs: ['100ms', '2s'],
  walkCpuShare: ['0.05', '1', '.5'],
  highWatermark: ['0.80', '0.85'],
  lowWatermark: ['0.1', '0.75'],
  criticalWatermark: ['0.95', '1'],
  drainMs: ['0', '25s'],
  listen: ['127.0.0.1:0', '[::1]:9464'],
  logLevel: ['debug', 'info', 'warn', 'error'],
  summaryEveryMs: ['10s', '1h'],
};
