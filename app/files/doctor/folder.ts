// `ferry doctor` on a local directory that stands in for a bucket: can it be written, is there room, is it apart from the source.
import { randomBytes } from 'node:crypto';
import { accessSync, constants, linkSync, realpathSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { readVolume } from '../../core/disk.ts';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { formatBytes } from '../../core/units.ts';
import type { DoctorSettings } from '../settings.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';
import { whoami } from './source.ts';
import { nearestExisting } from './volume.ts';

/** Below this a folder is as good as full. */
const MIN_FREE_BYTES = 100 * 2 ** 20;

/** Findings about `settings.to`, a directory. Writes and removes one small file unless `dryRun` or not there yet. */
export function checkFolder(settings: Pick<DoctorSettings, 'to' | 'source' | 'dryRun'>): Finding[] {
  const existing = nearestExisting(settings.to);
  const findings: Finding[] = [checkWritable(settings.to, existing, settings.dryRun)];
  if (findings[0]?.level === 'fail') return findings;
  const { availableBytes } = readVolume(existing);
  findings.push(
    availableBytes < MIN_FREE_BYTES
      ? warn('folder.space', `${settings.to} has ${formatBytes(availableBytes)} left.`, 'Make room there.')
      : ok('folder.space', `${settings.to} has ${formatBytes(availableBytes)} left.`),
  );
  if (settings.source) findings.push(judgeApart(real(settings.source), real(settings.to)));
  return findings;
}

function checkWritable(to: string, existing: string, dryRun: boolean): Finding {
  try {
    if (!statSync(existing).isDirectory()) {
      return fail('folder.writable', `${existing} is not a directory.`, 'Name a directory with --to.');
    }
    accessSync(existing, constants.W_OK | constants.X_OK);
    if (existing !== to)
      return ok('folder.writable', `${to} is not there yet; it can be made in ${existing}.`);
    if (dryRun) return ok('folder.writable', `${to} may be written (no file was, because of --dry-run).`);
    const probe = join(to, `.ferry-doctor-${randomBytes(6).toString('hex')}`);
    writeFileSync(probe, 'Written by `ferry doctor`. It may be deleted.\n', { flag: 'wx' });
    try {
      linkSync(probe, `${probe}-link`);
      unlinkSync(`${probe}-link`);
    } catch (error) {
      return unknown(
        'folder.writable',
        `${to} can be written, but knows no hard links: ${errnoOf(error) ?? 'error'}.`,
      );
    } finally {
      unlinkSync(probe);
    }
    return ok('folder.writable', `${to} can be written.`);
  } catch (error) {
    return fail(
      'folder.writable',
      `${to} cannot be written by ${whoami()}: ${errnoOf(error) ?? messageOf(error)}.`,
      'Name another directory with --to, or let this user write it.',
    );
  }
}

/** Both real paths. One inside the other would move files in circles. */
export function judgeApart(source: string, to: string): Finding {
  const remedy = 'Name directories of which neither holds the other with --source and --to.';
  if (within(to, source)) return fail('folder.apart', `${to} is inside the source ${source}.`, remedy);
  if (within(source, to)) return fail('folder.apart', `The source ${source} is inside ${to}.`, remedy);
  return ok('folder.apart', 'Source and target are apart.');
}

const within = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);

/** Without symbolic links as far as the path exists. */
function real(path: string): string {
  const existing = nearestExisting(path);
  return join(realpathSync(existing), path.slice(existing.length));
}
