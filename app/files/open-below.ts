// Opening a file of the source for somebody else: only a regular file that really lies below the source, whatever
// links, `..` and races make of its path.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { type BytePath, toSystemPath } from './paths.ts';

export interface OpenFile {
  readonly fd: number;
  readonly stat: Stats;
}

/** One character per byte, which Node calls latin1 but does not name in these functions' types. */
const BYTES = { encoding: 'latin1' as BufferEncoding };

/**
 * Undefined when there is no such regular file below `root`, or this user may not read it. The caller closes `fd`.
 * @param root absolute, without links
 */
export function openBelow(root: BytePath, path: BytePath): OpenFile | undefined {
  if (!isPlain(path)) return undefined;
  const absolute = `${root}/${path}`;
  // A FIFO would wait for its writer, a link lead elsewhere.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  let fd: number;
  try {
    fd = openSync(toSystemPath(absolute), flags);
  } catch (error) {
    if (['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'].includes(errnoOf(error) ?? '')) throw error;
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() && isAt(fd, stat, absolute)) return { fd, stat };
  } catch {
    // It is no longer where it was opened.
  }
  closeSync(fd);
  return undefined;
}

/** No empty part, none that leads up, nothing a system call would cut off. */
function isPlain(path: BytePath): boolean {
  return (
    !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/**
 * Whether the open file is the one at this path without links. Linux says where an open file lies, so a directory
 * swapped for a link before or after the opening is found out; elsewhere the path is looked at again.
 */
function isAt(fd: number, stat: Stats, absolute: BytePath): boolean {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${fd}`, BYTES) === absolute;
  const system = toSystemPath(absolute);
  const there = lstatSync(system);
  return realpathSync(system, BYTES) === absolute && there.ino === stat.ino && there.dev === stat.dev;
}
