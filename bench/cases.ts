// What is measured: how many files of which size, against which server, by whom.
import { CONTENDERS, type Contender } from './contenders.ts';
import type { Layout } from './sources.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly sizeBytes: number;
  readonly server: 'null' | 'null-tls' | 'real';
  /**
   * - `cold`: the bucket and Ferry's memory are empty before each run;
   * - `both-sides`: everything is in the bucket already; a contender named in `remembers` also has its memory;
   * - `start`: from the start of `ferry files` until /readyz answers 200, nothing to move;
   * - `freeing`: as `cold`, from a source made anew on the disk for each run;
   * - `steady`: everything is in the bucket and remembered, twelve files a second are added; a window of the daemon's life;
   * - `names`: a window of the daemon's life before a directory of so many names.
   */
  readonly kind: 'cold' | 'both-sides' | 'start' | 'freeing' | 'steady' | 'names';
  /** Of a window, after a lead in which it starts up. */
  readonly windowMs?: number;
  /** Where in the source the files lie. @default 'flat' */
  readonly layout?: Layout;
  /** At most so many, where one takes long. */
  readonly roundsMax?: number;
  readonly contenders: readonly Contender[];
  /** For the report: what the figures stand for, who is left out and why. Sentences. */
  readonly remark?: string;
  /** Contenders whose memory is kept from the preparation. */
  readonly remembers?: readonly string[];
  /** Run only with --large or by name. */
  readonly large?: true;
}

const KIB = 1_024;
const MILLION = 1_000_000;
const {
  ferry,
  ferryFreeing,
  ferryRunning,
  s5cmdCp,
  s5cmdMv,
  s5cmdSync,
  rclone,
  rcloneTuned,
  awsCp,
  awsSync,
  plainSdk,
  curl,
} = CONTENDERS;
const everyone = [ferry, s5cmdCp, s5cmdSync, rclone, rcloneTuned, awsCp, awsSync, plainSdk];
const SYNC_MEMORY =
  's5cmd sync takes 0.9 GB for 50,000 files there, which would be 18 GB for a million at that rate';
const ALONE = `Ferry alone: what its peers cost is in case \`cold-1k\`. ${SYNC_MEMORY}.`;

/** The case that `--quick` and `--check` run. */
export const QUICK_CASE = 'small';

export const CASES: readonly Case[] = [
  {
    name: QUICK_CASE,
    title: '10,000 files of 1 KiB, all new',
    files: 10_000,
    sizeBytes: KIB,
    server: 'null',
    kind: 'cold',
    contenders: [ferry, s5cmdCp, plainSdk],
  },
  {
    name: 'cold-1k',
    title: '50,000 files of 1 KiB, all new',
    files: 50_000,
    sizeBytes: KIB,
    server: 'null',
    kind: 'cold',
    contenders: everyone,
  },
  {
    name: 'cold-13k',
    title: '5,000 files of 13 KiB, all new',
    files: 5_000,
    sizeBytes: 13 * KIB,
    server: 'null',
    kind: 'cold',
    contenders: everyone,
  },
  {
    name: 'real',
    title: '5,000 files of 1 KiB, all new, against versitygw',
    files: 5_000,
    sizeBytes: KIB,
    server: 'real',
    kind: 'cold',
    contenders: [ferry, s5cmdCp, rcloneTuned, plainSdk],
  },
  {
    name: 'tls',
    title: '50,000 files of 1 KiB, all new, over TLS',
    files: 50_000,
    sizeBytes: KIB,
    server: 'null-tls',
    kind: 'cold',
    contenders: [ferry, s5cmdCp, rcloneTuned, plainSdk],
    remark: 'The other peers are in case `cold-1k`; the slowest take minutes.',
  },
  {
    name: 'large-file',
    title: 'one file of 1 GiB against versitygw',
    files: 1,
    sizeBytes: 2 ** 30,
    server: 'real',
    kind: 'cold',
    contenders: [ferry, curl, plainSdk, s5cmdCp],
  },
  {
    name: 'start',
    title: 'from start to ready',
    files: 0,
    sizeBytes: 0,
    server: 'null',
    kind: 'start',
    contenders: [ferryRunning],
  },
  {
    name: 'freeing',
    title: '50,000 files of 1 KiB, all new, kept beside freed at once',
    files: 50_000,
    sizeBytes: KIB,
    server: 'null',
    kind: 'freeing',
    layout: 'dated',
    contenders: [ferry, ferryFreeing, s5cmdCp, s5cmdMv],
  },
  {
    name: 'million',
    title: '1,000,000 files of 1 KiB waiting',
    files: MILLION,
    sizeBytes: KIB,
    server: 'null',
    kind: 'cold',
    contenders: [ferry],
    remark: ALONE,
    large: true,
  },
  {
    name: 'million-dated',
    title: '1,000,000 files of 1 KiB waiting in a directory for each hour',
    files: MILLION,
    sizeBytes: KIB,
    server: 'null',
    kind: 'cold',
    layout: 'dated',
    contenders: [ferry],
    remark: ALONE,
    large: true,
  },
  {
    name: 'names',
    title: '10,000,000 names in one directory, the first three minutes',
    files: 10 * MILLION,
    sizeBytes: 20,
    server: 'null',
    kind: 'names',
    windowMs: 180_000,
    contenders: [ferryRunning],
    remark: 'Ferry alone: the peers, as they are run here, end and do not watch a directory.',
    roundsMax: 1,
    large: true,
  },
  {
    name: 'steady',
    title: '518,400 retained files, 12 new ones a second, twenty minutes standing in for an hour',
    files: 518_400,
    sizeBytes: KIB,
    server: 'null',
    kind: 'steady',
    windowMs: 1_200_000,
    contenders: [ferryRunning],
    remark:
      'The window is twenty real minutes of the hour the case stands for: 14,400 new files of its 43,200. Ferry runs ' +
      'with `--keep`, so nothing is freed. It is alone: the peers, as they are run here, end and do not watch a directory.',
    remembers: ['Ferry'],
    roundsMax: 1,
    large: true,
  },
  {
    name: 'million-both',
    title: '1,000,000 files of 1 KiB, all in the bucket already',
    files: MILLION,
    sizeBytes: KIB,
    server: 'null',
    kind: 'both-sides',
    contenders: [
      {
        ...ferry,
        name: 'Ferry, memory lost',
        note: 'the shipped bundle without its ledger: each file is hashed, SHA-256 and MD5, and compared with a LIST',
      },
      {
        ...ferry,
        name: 'Ferry, with memory',
        note: 'the shipped bundle with its ledger: each file is found unchanged, none is read',
      },
    ],
    remark: ALONE,
    remembers: ['Ferry, with memory'],
    large: true,
  },
];

export const caseNamed = (name: string): Case | undefined => CASES.find((one) => one.name === name);

/** A window of a daemon's life: it moves other files than the case has, so that no figure is one per file. */
export function isWindow(name: string): boolean {
  const kind = caseNamed(name)?.kind;
  return kind === 'steady' || kind === 'names';
}
