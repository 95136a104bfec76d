// `ferry doctor` on the source directory: may this user read its files and delete them, and are its times fine enough.
import { accessSync, constants, lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { formatDuration } from '../../core/units.ts';
import type { FilesSettings } from '../settings.ts';
import { count, type Finding, fail, few, ok, unknown, warn } from './finding.ts';

/** Enough to see every kind of directory a writer makes, few enough to answer in a second. */
const SAMPLE_DIRECTORIES = 1_000;
const SAMPLE_ENTRIES = 20_000;

/** What a look at a part of the tree showed. Paths are relative to the source. */
export interface TreeSample {
  readonly directories: number;
  readonly files: number;
  readonly complete: boolean;
  readonly unreadable: readonly string[];
  /** Files in these cannot be deleted: no write or execute permission. */
  readonly locked: readonly string[];
  /** With the sticky bit, owned by somebody else: only a file's owner may delete it. */
  readonly sticky: readonly string[];
  readonly readOnly: boolean;
  readonly unreadableFiles: readonly string[];
  /** Every mtime seen is a whole second. */
  readonly wholeSeconds: boolean;
  readonly inFuture: readonly string[];
}

type Settings = Pick<FilesSettings, 'source' | 'keep' | 'settleMs'>;

/** Findings about `settings.source`; the first is a failure and the only one when it cannot be opened. */
export function checkSource(settings: Settings, nowMs: number): Finding[] {
  const { source } = settings;
  try {
    if (!lstatSync(join(source, '.')).isDirectory()) throw new Error('it is not a directory');
    opendirSync(source).closeSync();
  } catch (error) {
    return [sourceError(source, error)];
  }
  const sample = sampleTree(source, nowMs);
  const scope = sample.complete ? '' : ' looked at so far (the rest is too many to look at here)';
  return [
    ok(
      'source.exists',
      `${source} is there: ${count(sample.files)} files in ${count(sample.directories)} directories${scope}; Ferry runs as ${whoami()}.`,
    ),
    ...judgeSample(sample, settings),
  ];
}

function sourceError(source: string, error: unknown): Finding {
  const remedies: Record<string, string> = {
    ENOENT: 'Create it, mount the volume there, or mend --source.',
    ENOTDIR: 'Name a directory with --source.',
    EACCES: `Let ${whoami()} read it and what is above it: the same uid as the writer, or a shared fsGroup.`,
  };
  return fail(
    'source.exists',
    `The source ${source} cannot be opened: ${errnoOf(error) ?? messageOf(error)}.`,
    remedies[errnoOf(error) ?? ''] ?? 'Name a directory with --source.',
  );
}

/** What a sample means. Pure. */
export function judgeSample(sample: TreeSample, settings: Settings): Finding[] {
  const findings: Finding[] = [];
  const share = 'Run Ferry with the uid of the writer, or share an fsGroup and let the writer use umask 002';
  if (sample.unreadable.length > 0) {
    findings.push(
      fail('source.readable', `Directories cannot be read: ${few(sample.unreadable)}.`, `${share}.`),
    );
  }
  if (sample.unreadableFiles.length > 0) {
    findings.push(
      fail('source.readable', `Files cannot be read: ${few(sample.unreadableFiles)}.`, `${share}.`),
    );
  }
  if (settings.keep) findings.push(ok('source.deletable', 'Nothing is deleted here (--keep).'));
  else if (sample.readOnly) {
    findings.push(
      fail(
        'source.deletable',
        'The source is mounted read-only, so no file can be deleted.',
        'Mount it writable for Ferry, or set --keep to only copy.',
      ),
    );
  } else if (sample.locked.length > 0) {
    const message = `Files cannot be deleted from ${few(sample.locked)}: that needs write and execute on the directory.`;
    findings.push(fail('source.deletable', message, `${share}; or set --keep to only copy.`));
  } else {
    findings.push(ok('source.deletable', 'This user may delete files in every directory looked at.'));
  }
  if (!settings.keep && sample.sticky.length > 0) {
    findings.push(
      fail(
        'source.sticky',
        `The sticky bit on ${few(sample.sticky)} lets only a file's owner delete it.`,
        'Run Ferry with the uid of the writer, or `chmod -t` these directories.',
      ),
    );
  }
  if (sample.inFuture.length > 0) {
    findings.push(
      warn(
        'source.times',
        `Files have times in the future: ${few(sample.inFuture)}.`,
        'Set the clock of the machine that writes them; their key and retention follow that time.',
      ),
    );
  }
  findings.push(...judgeSettle(sample, settings.settleMs));
  return findings;
}

function judgeSettle(sample: TreeSample, settleMs: number): Finding[] {
  if (sample.files < 5) {
    return [unknown('source.settle', 'Too few files to tell how fine the times of this file system are.')];
  }
  if (sample.wholeSeconds && settleMs < 4_000) {
    return [
      warn(
        'source.settle',
        `File times here are whole seconds, and --settle is ${formatDuration(settleMs)}: a change within one second leaves no trace but the size.`,
        'Set --settle 5s or more.',
      ),
    ];
  }
  return [ok('source.settle', `File times are fine enough for --settle ${formatDuration(settleMs)}.`)];
}

/** Looks at up to `SAMPLE_DIRECTORIES` directories, breadth first. Never follows a symbolic link. */
function sampleTree(source: string, nowMs: number): TreeSample {
  const unreadable: string[] = [];
  const locked: string[] = [];
  const sticky: string[] = [];
  const unreadableFiles: string[] = [];
  const inFuture: string[] = [];
  const queue = ['.'];
  let [directories, files, entries, fractional] = [0, 0, 0, 0];
  let readOnly = false;
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (directories >= SAMPLE_DIRECTORIES || entries >= SAMPLE_ENTRIES) {
      queue.push(path);
      break;
    }
    directories += 1;
    const full = join(source, path);
    const writeError = denied(full, constants.W_OK | constants.X_OK);
    if (writeError === 'EROFS') readOnly = true;
    else if (writeError !== undefined) locked.push(path);
    else if (isForeignSticky(full)) sticky.push(path);
    try {
      const directory = opendirSync(full, { bufferSize: 1_024 });
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          if (entries >= SAMPLE_ENTRIES) break;
          entries += 1;
          const child = path === '.' ? entry.name : join(path, entry.name);
          if (entry.isDirectory()) queue.push(child);
          if (!entry.isFile()) continue;
          const stats = lstatSync(join(source, child), { throwIfNoEntry: false });
          if (stats === undefined) continue;
          files += 1;
          if (stats.mtimeMs % 1_000 !== 0) fractional += 1;
          if (stats.mtimeMs > nowMs + 60_000) inFuture.push(child);
          if (files <= 200 && denied(join(source, child), constants.R_OK) === 'EACCES')
            unreadableFiles.push(child);
        }
      } finally {
        directory.closeSync();
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') unreadable.push(path);
    }
  }
  const complete = queue.length === 0 && entries < SAMPLE_ENTRIES;
  const wholeSeconds = files > 0 && fractional === 0;
  return {
    directories,
    files,
    complete,
    unreadable,
    locked,
    sticky,
    readOnly,
    unreadableFiles,
    wholeSeconds,
    inFuture,
  };
}

/** The error's name when this user may not; undefined when they may. */
function denied(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? 'unknown';
  }
}

function isForeignSticky(path: string): boolean {
  const uid = process.getuid?.();
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & 0o1000) !== 0 && uid !== 0 && stats.uid !== uid;
}

/** `uid 65532, gid 65532, groups 2000`. */
export function whoami(): string {
  const groups = process.getgroups?.().filter((group) => group !== process.getgid?.()) ?? [];
  const more = groups.length === 0 ? '' : `, groups ${groups.join(' ')}`;
  return `uid ${process.getuid?.() ?? '?'}, gid ${process.getgid?.() ?? '?'}${more}`;
}
