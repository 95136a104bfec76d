// `ferry doctor` on the volumes: what kind of disk the source is on, whether the limit fits it, and where the state lives.
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readVolume, usableBytes, type VolumeStats } from '../../core/disk.ts';
import { errnoOf } from '../../core/errors.ts';
import { formatBytes } from '../../core/units.ts';
import type { FilesSettings } from '../settings.ts';
import { count, type Finding, fail, ok, unknown, warn } from './finding.ts';
import { type Mount, mountOf, readMounts, volumeKind } from './mounts.ts';

/** A file costs at least one block. */
const BLOCK_BYTES = 4_096;
/** The ledger of a million files takes up to 500 MB (app/plan/measured.ts). This is 130,000 files: less fits no shift. */
const STATE_MIN_BYTES = 64 * 2 ** 20;

/** Findings about the source's volume; empty when it cannot be looked at (the source check has said so). */
export function checkVolume(
  settings: Pick<FilesSettings, 'source' | 'volumeLimitBytes'>,
  env: NodeJS.ProcessEnv,
): Finding[] {
  let volume: VolumeStats;
  let path: string;
  try {
    path = realpathSync(settings.source);
    volume = readVolume(path);
  } catch {
    return [];
  }
  const mounts = readMounts();
  return [
    judgeKind(path, mounts && mountOf(path, mounts)),
    ...judgeLimit(volume, settings.volumeLimitBytes, env.KUBERNETES_SERVICE_HOST !== undefined),
  ];
}

/** What the kind of file system means for the source. Pure. */
export function judgeKind(path: string, mount: Mount | undefined): Finding {
  if (mount === undefined)
    return unknown('volume.kind', `The kind of file system of ${path} cannot be told here.`);
  const where = `${path} is on ${mount.type} (mounted at ${mount.mountPoint})`;
  switch (volumeKind(mount.type)) {
    case 'network':
      return warn(
        'volume.kind',
        `${where}: a shared file system. Changes made elsewhere may be seen late, and its times are another machine's.`,
        'Set --settle to 30s or more, and let only one Ferry work on this directory.',
      );
    case 'container':
      return warn(
        'volume.kind',
        `${where}: a container's own layer. Files that are not sent yet are lost with the container.`,
        'Mount a volume there that outlives the container, such as an emptyDir.',
      );
    case 'coarse':
      return warn(
        'volume.kind',
        `${where}: file times are rounded to 2 s, and a change within them leaves no trace but the size.`,
        'Set --settle to 10s or more, or use another file system.',
      );
    case 'memory':
      return ok(
        'volume.kind',
        `${where}: in memory. What it holds counts as memory and is lost at a restart.`,
      );
    default:
      return ok('volume.kind', `${where}.`);
  }
}

/** Whether the configured limit fits the file system, in bytes and inodes. Pure. */
export function judgeLimit(volume: VolumeStats, limitBytes: number | undefined, inPod: boolean): Finding[] {
  // What `ferry files` reckons with too.
  const usable = usableBytes(volume);
  const size = `${formatBytes(usable)} (used and free for this user)`;
  const budgetBytes = limitBytes ?? usable;
  const findings: Finding[] = [];
  if (limitBytes === undefined && inPod) {
    findings.push(
      warn(
        'volume.limit',
        `No --volume-limit is set; Ferry takes the file system's ${size} for the limit. In a pod that is the node's disk: an emptyDir is evicted at its sizeLimit, which no process can see.`,
        "Set --volume-limit (FERRY_VOLUME_LIMIT) to the emptyDir's sizeLimit.",
      ),
    );
  } else if (limitBytes === undefined) {
    findings.push(ok('volume.limit', `No --volume-limit is set; the file system's ${size} is the limit.`));
  } else if (limitBytes > usable) {
    findings.push(
      warn(
        'volume.limit',
        `--volume-limit is ${formatBytes(limitBytes)}, but the file system has ${size}: it is full before the limit is reached.`,
        'Set --volume-limit to the size of the volume, or make the volume larger.',
      ),
    );
  } else {
    findings.push(
      ok('volume.limit', `--volume-limit is ${formatBytes(limitBytes)} of a file system of ${size}.`),
    );
  }
  const smallFiles = Math.floor(budgetBytes / BLOCK_BYTES);
  if (volume.inodes === 0) {
    findings.push(ok('volume.inodes', 'This file system makes inodes as it needs them.'));
  } else if (volume.freeInodes < smallFiles) {
    findings.push(
      warn(
        'volume.inodes',
        `${formatBytes(budgetBytes)} hold ${count(smallFiles)} small files of one block (4 KiB), but only ${count(volume.freeInodes)} inodes are free: small files run out of inodes before bytes.`,
        'Plan by the number of files: ext4 has one inode per 16 KiB unless made with `mkfs.ext4 -i 4096`.',
      ),
    );
  } else {
    findings.push(
      ok('volume.inodes', `${count(volume.freeInodes)} inodes are free: enough for small files.`),
    );
  }
  return findings;
}

/** Findings about the directory Ferry keeps its memory in. */
export function checkState(settings: Pick<FilesSettings, 'source' | 'state'>): Finding[] {
  const existing = nearestExisting(settings.state);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    return [
      fail(
        'state.writable',
        `The state directory ${settings.state} cannot be written: ${existing} answers ${errnoOf(error) ?? 'an error'}.`,
        'Name a directory this user may write with --state, on a small volume of its own.',
      ),
    ];
  }
  if (!statSync(existing).isDirectory()) {
    return [fail('state.writable', `${existing} is not a directory.`, 'Name a directory with --state.')];
  }
  const findings = [ok('state.writable', `The state directory ${settings.state} can be written.`)];
  const { availableBytes } = readVolume(existing);
  findings.push(
    availableBytes < STATE_MIN_BYTES
      ? warn(
          'state.space',
          `The state directory has ${formatBytes(availableBytes)} left; a million files need about 500 MB.`,
          'Make its volume larger, or name another with --state.',
        )
      : ok('state.space', `The state directory has ${formatBytes(availableBytes)} left.`),
  );
  const mounts = readMounts();
  const mount = mounts && mountOf(realpathSync(existing), mounts);
  if (mount && volumeKind(mount.type) === 'network') {
    findings.push(
      warn(
        'state.kind',
        `The state directory is on ${mount.type}: a database on a shared file system can be damaged by its locking.`,
        'Name a directory on a local disk with --state; what is in it can be lost without harm.',
      ),
    );
  }
  if (settings.source !== '' && existsSync(settings.source) && sameVolume(existing, settings.source)) {
    findings.push(
      warn(
        'state.volume',
        'The state directory is on the same volume as the source: when the source is full, Ferry cannot remember.',
        'Give the state a small volume of its own with --state.',
      ),
    );
  }
  return findings;
}

const sameVolume = (one: string, other: string) => statSync(one).dev === statSync(other).dev;

/** The path itself or the nearest directory above it that is there: Ferry makes what is missing. */
export function nearestExisting(path: string): string {
  let candidate = path;
  while (!existsSync(candidate) && dirname(candidate) !== candidate) candidate = dirname(candidate);
  return candidate;
}
