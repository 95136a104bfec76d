// What must hold between the files mover's settings, each right by itself.
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Conflict } from '../core/settings/settings.ts';
import type { FilesSettings } from './settings.ts';

type Check = (values: Partial<FilesSettings>) => Conflict<keyof FilesSettings> | undefined;

/** Every conflict; fields that are absent or wrong in themselves take no part. */
export function checkFilesSettings(values: Partial<FilesSettings>): Conflict<keyof FilesSettings>[] {
  return CHECKS.flatMap((check) => check(values) ?? []);
}

const CHECKS: readonly Check[] = [
  ({ lowWatermark: low, highWatermark: high }) =>
    low !== undefined && high !== undefined && low >= high
      ? {
          fields: ['lowWatermark', 'highWatermark'],
          wrong: 'the low watermark is not below the high one',
          expected: 'low < high < critical <= 1',
          remedy: 'lower --low-watermark or raise --high-watermark',
        }
      : undefined,
  ({ highWatermark: high, criticalWatermark: critical }) =>
    high !== undefined && critical !== undefined && high >= critical
      ? {
          fields: ['highWatermark', 'criticalWatermark'],
          wrong: 'the high watermark is not below the critical one',
          expected: 'low < high < critical <= 1',
          remedy: 'lower --high-watermark or raise --critical-watermark',
        }
      : undefined,
  ({ sse, sseKmsKeyId }) =>
    sseKmsKeyId !== undefined && sse !== undefined && sse !== 'aws:kms'
      ? {
          fields: ['sse', 'sseKmsKeyId'],
          wrong: 'a KMS key is named, but encryption by KMS is not asked for',
          expected: 'a KMS key only together with --sse aws:kms',
          remedy: 'write --sse aws:kms, or leave --sse-kms-key-id out',
        }
      : undefined,
  ({ source, to }) =>
    source !== undefined && to !== undefined && !to.startsWith('s3://') && overlap(source, to)
      ? {
          fields: ['source', 'to'],
          wrong: 'one of the two directories holds the other, so Ferry would move its own copies',
          expected: 'two directories apart from each other',
          remedy: 'choose a --to outside of --source, and not above it',
        }
      : undefined,
  ({ source, state }) =>
    source !== undefined && state !== undefined && holds(realPath(source), realPath(state))
      ? {
          fields: ['source', 'state'],
          wrong: 'the state directory is inside the source, so Ferry would move its own memory',
          expected: 'a state directory outside of the source',
          remedy: 'write --state with a directory elsewhere, on a volume that survives a restart',
        }
      : undefined,
  ({ spill, source, state }) =>
    spill !== undefined && [source, state].some((other) => other !== undefined && overlap(spill, other))
      ? {
          fields: ['spill', 'source', 'state'],
          wrong: 'the spill directory shares its files with another directory of Ferry',
          expected: 'a directory on a volume of its own',
          remedy: 'mount another volume and name it with --spill',
        }
      : undefined,
  ({ spill, to }) =>
    spill !== undefined && to !== undefined && !to.startsWith('s3://') && overlap(spill, to)
      ? {
          fields: ['spill', 'to'],
          wrong: 'one of the two directories holds the other, so Ferry would move its own copies',
          expected: 'two directories apart from each other',
          remedy: 'choose a --spill outside of --to, and not above it',
        }
      : undefined,
];

function overlap(left: string, right: string): boolean {
  const [a, b] = [realPath(left), realPath(right)];
  return holds(a, b) || holds(b, a);
}

/** Whether `inner` is `outer` or below it; both absolute, without links. */
function holds(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path === '..' || path.startsWith(`..${sep}`));
}

/** The path with every link followed, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
