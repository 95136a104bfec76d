// From an error of the file system to a StoreError that says what to do.
import { errnoOf, messageOf, StoreError, type StoreFault } from '../errors.ts';

const FAULT_OF_ERRNO: Readonly<Record<string, readonly [StoreFault, string]>> = {
  ENOSPC: ['no-space', 'The disk is full: free space on it or choose another one.'],
  EDQUOT: ['no-space', 'The quota is used up: free space or raise it.'],
  EACCES: ['denied', 'Give this user write and execute permission on the directory.'],
  EPERM: ['denied', 'The file system forbids it: it must allow this user to write and to make hard links.'],
  EROFS: ['denied', 'The file system is mounted read-only: mount it writable.'],
  ENOTSUP: ['bad-request', 'The file system has no hard links: choose another one.'],
  EXDEV: ['bad-request', 'The directory is on another file system than the folder: use one file system.'],
  ENAMETOOLONG: ['bad-request', 'A file name has at most 255 bytes, a path 4,096: shorten the key.'],
  ENOTDIR: ['bad-request', 'A part of the path is a file, not a directory: choose another key.'],
  EISDIR: ['bad-request', 'There is a directory of this name: choose another key.'],
  ELOOP: ['bad-request', 'The path goes through a symbolic link: choose another folder.'],
  EINVAL: ['bad-request', 'The file system does not take this name: choose another key.'],
  EILSEQ: ['bad-request', 'The file system does not take this name: choose another key.'],
};

/** A StoreError stays as it is; what is not known may mend itself and is `unavailable`. */
export function folderError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error;
  const errno = errnoOf(error) ?? '';
  const [fault, remedy] = FAULT_OF_ERRNO[errno] ?? ['unavailable', 'Look at the disk and its mount.'];
  return new StoreError(fault, `${doing} failed: ${messageOf(error)}. ${remedy}`, {
    code: errno,
    cause: error,
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StoreError('aborted', 'The call was given up.', { cause: signal.reason });
}
