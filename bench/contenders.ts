// Who is measured and with which flags: each contender's whole command line, as its users would write it.
import { join } from 'node:path';
import { imageCommand } from '../test/support/image.ts';
import type { PeerName } from './peers.ts';
import type { BenchServer } from './servers.ts';
import type { Source } from './sources.ts';

export interface Job {
  readonly source: Source;
  readonly server: BenchServer;
  /** Objects go below it; no slashes around it. */
  readonly prefix: string;
  /** Ferry's memory for this run. */
  readonly state: string;
  readonly ferryBundle: string;
  /** A peer's program; throws when it is missing, which the caller has ruled out. */
  program(name: PeerName): string;
}

export interface Contender {
  readonly name: string;
  /** Undefined: needs nothing but Node. */
  readonly peer: PeerName | undefined;
  /** What its flags mean for the comparison; for the report. */
  readonly note: string;
  /** It does not end by itself: a window of its life is measured. */
  readonly runsOn?: true;
  /** It deletes what it has moved: no file may be left. */
  readonly frees?: true;
  command(job: Job): readonly string[];
}

const to = (job: Job): string => `s3://${job.server.bucket}/${job.prefix}/`;
const s5cmd = (job: Job): string[] => [
  job.program('s5cmd'),
  ...['--endpoint-url', job.server.endpoint, '--log', 'error', '--numworkers', '16'],
];
const aws = (job: Job): string[] => [job.program('aws-cli'), '--endpoint-url', job.server.endpoint, 's3'];
const rclone = (job: Job): string[] => [
  ...[job.program('rclone'), 'copy', job.source.directory, `:s3:${job.server.bucket}/${job.prefix}`],
  ...['--config', '', '--s3-provider', 'Other', '--s3-env-auth', '--s3-endpoint', job.server.endpoint],
  ...['--s3-no-check-bucket', '--transfers', '16', '--checkers', '16', '--log-level', 'ERROR'],
  ...(job.server.caFile === undefined ? [] : ['--ca-cert', job.server.caFile]),
];

const ferry = (job: Job): string[] => [
  ...imageCommand(job.ferryBundle),
  ...['files', '--source', job.source.directory, '--to', `s3://${job.server.bucket}/${job.prefix}`],
  ...['--endpoint', job.server.endpoint, '--path-style', '--state', job.state],
];

export const CONTENDERS = {
  ferry: {
    name: 'Ferry',
    peer: undefined,
    note: 'the shipped bundle: settle, SHA-256, ledger, conditional PUT, proof by LIST',
    command: (job) => [...ferry(job), '--settle', '1s', '--keep', '--once'],
  },
  ferryRunning: {
    name: 'Ferry',
    peer: undefined,
    note: 'the shipped bundle as it runs on, by its own defaults but for --keep',
    runsOn: true,
    command: (job) => [...ferry(job), '--keep', '--listen', '127.0.0.1:0'],
  },
  ferryFreeing: {
    name: 'Ferry, freeing',
    peer: undefined,
    note: 'the same with a retention of nothing: each file is read again, compared and deleted once proved',
    frees: true,
    command: (job) => [...ferry(job), '--settle', '1s', '--retention', '0s', '--once'],
  },
  s5cmdCp: {
    name: 's5cmd cp',
    peer: 's5cmd',
    note: 'copies without looking; 16 workers',
    command: (job) => [...s5cmd(job), 'cp', `${job.source.directory}/`, to(job)],
  },
  s5cmdMv: {
    name: 's5cmd mv',
    peer: 's5cmd',
    note: 'as s5cmd cp, and deletes each file once its PUT was answered, without another look; 16 workers',
    frees: true,
    command: (job) => [...s5cmd(job), 'mv', `${job.source.directory}/`, to(job)],
  },
  s5cmdSync: {
    name: 's5cmd sync',
    peer: 's5cmd',
    note: 'lists first, compares size and time; 16 workers',
    command: (job) => [...s5cmd(job), 'sync', `${job.source.directory}/`, to(job)],
  },
  rclone: {
    name: 'rclone copy',
    peer: 'rclone',
    note: '16 transfers, 16 checkers, no bucket check; lists first, HEAD after each PUT',
    command: (job) => rclone(job),
  },
  rcloneTuned: {
    name: 'rclone copy, tuned',
    peer: 'rclone',
    note: 'as above with --no-check-dest --s3-no-head: copies without looking and trusts the answer',
    command: (job) => [...rclone(job), '--no-check-dest', '--s3-no-head'],
  },
  awsCp: {
    name: 'aws s3 cp',
    peer: 'aws-cli',
    note: '--recursive; 16 requests at once',
    command: (job) => [...aws(job), 'cp', '--recursive', '--only-show-errors', job.source.directory, to(job)],
  },
  awsSync: {
    name: 'aws s3 sync',
    peer: 'aws-cli',
    note: 'lists first, compares size and time; 16 requests at once',
    command: (job) => [...aws(job), 'sync', '--only-show-errors', job.source.directory, to(job)],
  },
  plainSdk: {
    name: 'plain SDK script',
    peer: undefined,
    note: 'bench/plain-sdk.ts: AWS SDK for JavaScript, 16 at a time, no memory, no proof',
    command: (job) => [
      ...[process.execPath, join(import.meta.dirname, 'plain-sdk.ts'), job.source.directory],
      ...[job.server.bucket, job.prefix, job.server.endpoint],
    ],
  },
  curl: {
    name: 'curl -T',
    peer: 'curl',
    note: 'one stream, one PUT, payload not signed, nothing verified',
    command: (job) => [
      ...['curl', '--silent', '--show-error', '--fail', '--aws-sigv4', 'aws:amz:us-east-1:s3'],
      ...['--user', `${job.server.env.AWS_ACCESS_KEY_ID}:${job.server.env.AWS_SECRET_ACCESS_KEY}`],
      ...['--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'],
      ...['--upload-file', join(job.source.directory, 'reading-0000000.json')],
      `${job.server.endpoint}/${job.server.bucket}/${job.prefix}/reading-0000000.json`,
    ],
  },
} as const satisfies Readonly<Record<string, Contender>>;

/** For the AWS CLI: as many requests at once as everyone else has. */
export const AWS_CONFIG = '[default]\ns3 =\n  max_concurrent_requests = 16\n  addressing_style = path\n';
