// What the demo is made of: its places on the disk, the mover's settings, and the writer's flags.
import { join } from 'node:path';
import type { LogStream } from '../core/log.ts';
import { loadSettings } from '../core/settings/settings.ts';
import { formatDuration } from '../core/units.ts';
import type { Terminal } from '../files/painter.ts';
import type { OpenPage } from '../files/serve.ts';
import { type FilesSettings, filesSpec } from '../files/settings.ts';
import type { WriterFlags } from './writer-process.ts';

export interface DemoOptions {
  /** Holds everything the demo makes: `data`, `bucket`, `state`, `written.jsonl` and the logs. */
  readonly directory: string;
  /** Stops by itself after this time. */
  readonly forMs?: number | undefined;
  /** Files written at the start; 5,000 by default. */
  readonly burst?: number | undefined;
  /** Files a second after that; 12 by default. */
  readonly rate?: number | undefined;
  /** The balance as one line of JSON on `stdout`; everything else goes to `stderr`. */
  readonly json?: boolean | undefined;
  /** Where the page is served; undefined for no page. */
  readonly listen?: string | undefined;
  /** Makes the page. */
  readonly openPage?: OpenPage | undefined;
  readonly stdout: Terminal & LogStream;
  readonly stderr: LogStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `ferry` as Node runs it, for the writer's process; by default the program that is running. */
  readonly program?: string | undefined;
}

const BURST_FILES = 5_000;
const BURST_SIZE_BYTES = 13 * 1024;
const FILES_PER_SECOND = 12;
const SIZE_BYTES = 1024;
const RETENTION = '1m';

export interface Places {
  readonly root: string;
  readonly data: string;
  readonly bucket: string;
  readonly state: string;
  readonly manifest: string;
  readonly log: string;
}

export function placesIn(root: string): Places {
  return {
    root,
    data: join(root, 'data'),
    bucket: join(root, 'bucket'),
    state: join(root, 'state'),
    manifest: join(root, 'written.jsonl'),
    log: join(root, 'ferry.log'),
  };
}

/** As in production, with the times shortened to what a person watches. */
export function demoSettings(places: Places): FilesSettings {
  const flags = {
    source: places.data,
    to: places.bucket,
    state: places.state,
    settle: '1s',
    retention: RETENTION,
    'prove-every': '5s',
    'walk-every': '1s',
    'walk-cpu-share': '0.25',
    'volume-limit': '256Mi',
    'summary-every': '5s',
    drain: '10s',
  };
  return loadSettings(filesSpec, { flags: new Map(Object.entries(flags)), env: {} });
}

export function writerFlags(options: DemoOptions, places: Places): WriterFlags {
  return {
    dir: places.data,
    manifest: places.manifest,
    burst: String(options.burst ?? BURST_FILES),
    burstSize: String(BURST_SIZE_BYTES),
    rate: String(options.rate ?? FILES_PER_SECOND),
    size: String(SIZE_BYTES),
  };
}

export function introduction(options: DemoOptions, places: Places): string {
  const burst = (options.burst ?? BURST_FILES).toLocaleString('en-US');
  const rate = options.rate ?? FILES_PER_SECOND;
  const until =
    options.forMs === undefined ? 'Ctrl-C stops' : `After ${formatDuration(options.forMs)} it stops`;
  return (
    `A stand-in for the vendor's program writes ${burst} files of ${BURST_SIZE_BYTES / 1024} KiB, then ${rate} files/s of ${SIZE_BYTES / 1024} KiB.\n` +
    `Ferry moves them from ${places.data} to ${places.bucket}, a folder in place of the bucket.\n` +
    `Proved files are freed after ${RETENTION}. ${until} both and balances; a new start goes on.\n`
  );
}
