// Which file system a directory lives on, from Linux's table of mounts, and what that means for moving files off it.
import { readFileSync } from 'node:fs';

export interface Mount {
  readonly mountPoint: string;
  /** As the kernel names it: `ext4`, `tmpfs`, `nfs4`, `overlay`, `9p`, `fuse.sshfs`, … */
  readonly type: string;
  readonly readOnly: boolean;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ', 2);
    const mountPoint = before?.split(' ')[4];
    const [type, , superOptions] = after?.split(' ') ?? [];
    if (mountPoint === undefined || type === undefined) return [];
    const options = `${before?.split(' ')[5] ?? ''},${superOptions ?? ''}`.split(',');
    return [{ mountPoint: unescapeOctal(mountPoint), type, readOnly: options.includes('ro') }];
  });
}

/** Space, tab, newline and backslash are written in octal. */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mount that holds a path without symbolic links: the longest mount point above it, of equals the last one. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const base = mount.mountPoint === '/' ? '/' : `${mount.mountPoint}/`;
    if (path !== mount.mountPoint && !path.startsWith(base)) continue;
    if (best === undefined || mount.mountPoint.length >= best.mountPoint.length) best = mount;
  }
  return best;
}

/** Undefined where there is no such table (not Linux). */
export function readMounts(): Mount[] | undefined {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

export type VolumeKind = 'local' | 'memory' | 'network' | 'container' | 'coarse' | 'other';

/** What a file system type means here. */
export function volumeKind(type: string): VolumeKind {
  if (type === 'tmpfs' || type === 'ramfs') return 'memory';
  if (/^(nfs|cifs|smb|ceph|lustre|afs|glusterfs|9p|virtiofs|fuse)/.test(type)) return 'network';
  if (type === 'overlay' || type === 'aufs') return 'container';
  if (/^(vfat|msdos|exfat|hfs)/.test(type)) return 'coarse';
  if (/^(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|apfs)$/.test(type)) return 'local';
  return 'other';
}
