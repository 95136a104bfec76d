// A local folder that stands in for a bucket: a key is a path, and `link` makes it visible whole or not at all.
//
// - A file is written in `.ferry-tmp/`, synced, and only then linked to its final name: link(2) fails when the name is
//   taken, so nothing is ever overwritten, and a power cut leaves the whole file or none. A listing syncs the
//   directories it reads, so what it has shown stays.
// - ETags are computed from the content when they are asked for (and cached): they are the proof that bytes are there.
// - Large files are not resumed after a stop: they start anew, a local copy being quick.
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstatSync, statSync } from 'node:fs';
import { type FileHandle, link, lstat, open, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errnoOf, StoreError } from '../errors.ts';
import {
  type PutResult,
  partSizeBytes,
  SINGLE_PUT_MAX_BYTES,
  type Store,
  type StoredObject,
  type UploadedPart,
} from '../store.ts';
import { folderError, throwIfAborted } from './errors.ts';
import { createEtagCache, etagOf, readEtag } from './etag.ts';
import { createKeyWalk } from './list.ts';
import { checkKey, createParents } from './path.ts';
import { clearLeftovers, hasReserved, makeReserved, newTempFile, RESERVED } from './temp.ts';

const PAGE = 1_000;

/** The folder is made by the first put; until then it lists as empty. Throws a StoreError when it cannot be used. */
export function openFolderStore(directory: string): Store {
  const root = resolve(directory);
  const etags = createEtagCache();
  const walk = createKeyWalk(root);
  const parents = createParents(root);
  let used = false;

  /** A folder that was there and is not any more (an unmounted disk) is no empty folder. */
  function checkRoot(): void {
    const there = hasReserved(root);
    if (used && !there) {
      const advice = 'Is its disk still mounted? Mount it, or start again to begin a new folder.';
      throw new StoreError('unavailable', `The folder ${root} has lost its ${RESERVED}. ${advice}`);
    }
    if (!there && statSync(root, { throwIfNoEntry: false })?.isDirectory() === false) {
      throw new StoreError('bad-request', `${root} is a file, not a folder. Choose another one.`);
    }
    used = there;
  }

  function prepare(): void {
    checkRoot();
    if (used) return;
    makeReserved(root);
    used = true;
  }

  async function linkFinal(temp: string, key: string): Promise<'created' | 'exists'> {
    const path = join(root, key);
    for (let attempt = 1; ; attempt += 1) {
      parents.make(key);
      try {
        await link(temp, path);
        return 'created';
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') {
          return taken(await lstat(path, { bigint: true }), key);
        }
        // Somebody removed a directory known to have been there: make it again, once.
        if (errnoOf(error) !== 'ENOENT' || attempt > 1) throw error;
        parents.forget();
      }
    }
  }

  function taken(stats: BigIntStats, key: string): 'exists' {
    if (stats.isFile()) return 'exists';
    const message = `The key ${key} is taken by a directory or link ${join(root, key)}. Choose another key.`;
    throw new StoreError('bad-request', message, { code: 'EISDIR' });
  }

  async function isTaken(key: string): Promise<boolean> {
    try {
      taken(await lstat(join(root, key), { bigint: true }), key);
      return true;
    } catch (error) {
      // ENOTDIR is told in better words by the making of the parents.
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
      throw error;
    }
  }

  /** Writes aside with `write`, syncs, and makes the file visible under the key unless that is taken. */
  async function commit(key: string, write: (file: FileHandle) => Promise<string>): Promise<PutResult> {
    if (await isTaken(key)) return { outcome: 'exists' };
    prepare();
    const temp = newTempFile(root);
    const file = await open(temp, 'wx', 0o666);
    try {
      let etag: string;
      try {
        etag = await write(file);
        await file.datasync();
      } finally {
        await file.close();
      }
      const outcome = await linkFinal(temp, key);
      if (outcome === 'exists') return { outcome };
      await unlink(temp);
      etags.remember(await lstat(join(root, key), { bigint: true }), etag);
      return { outcome, etag };
    } finally {
      await unlink(temp).catch(() => {});
    }
  }

  async function objectAt(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    const path = join(root, key);
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!stats?.isFile()) return undefined;
    const etag = await etags.read(path, stats, signal);
    return { key, sizeBytes: Number(stats.size), etag };
  }

  try {
    checkRoot();
    if (used) clearLeftovers(root, Date.now());
  } catch (error) {
    throw folderError(error, `Opening the folder ${root}`);
  }

  return {
    label: root,
    etagIsMd5: true,
    mayRead: true,

    put(key, body, sha256Hex, signal) {
      return attempt(`Writing ${join(root, key)}`, async () => {
        throwIfAborted(signal);
        checkKey(key);
        if (body.length > SINGLE_PUT_MAX_BYTES) {
          throw new StoreError('bad-request', `${key} has ${body.length} bytes: too many for a single put.`);
        }
        const found = createHash('sha256').update(body).digest('hex');
        if (found !== sha256Hex) {
          const message = `The content for ${key} has SHA-256 ${found}, not ${sha256Hex} as said; nothing was written.`;
          throw new StoreError('corrupt', message, { code: 'BadDigest' });
        }
        const etag = etagOf(body.length);
        etag.update(body);
        const hex = etag.digest();
        return commit(key, async (file) => {
          await file.writeFile(body);
          throwIfAborted(signal);
          return hex;
        });
      });
    },

    putLarge(key, source, _resume, signal) {
      return attempt(`Writing ${join(root, key)}`, async () => {
        throwIfAborted(signal);
        checkKey(key);
        return commit(key, async (file) => {
          const partBytes = partSizeBytes(source.sizeBytes);
          const etag = etagOf(source.sizeBytes);
          const parts: UploadedPart[] = [];
          for (let offset = 0; offset < source.sizeBytes; offset += partBytes) {
            throwIfAborted(signal);
            const lengthBytes = Math.min(partBytes, source.sizeBytes - offset);
            const bytes = callersOwn(() => source.read(offset, lengthBytes));
            etag.update(bytes);
            await file.writeFile(bytes);
            parts.push({
              number: parts.length + 1,
              etag: createHash('md5').update(bytes).digest('hex'),
              sha256: createHash('sha256').update(bytes).digest('hex'),
              sizeBytes: bytes.length,
            });
            const state = { uploadId: 'folder', parts: [...parts] };
            callersOwn(() => source.progress(state));
          }
          throwIfAborted(signal);
          callersOwn(() => source.beforeCommit());
          return etag.digest();
        });
      });
    },

    list(prefix, after, signal) {
      return attempt(`Listing ${join(root, prefix)}`, async () => {
        throwIfAborted(signal);
        checkRoot();
        const objects: StoredObject[] = [];
        for await (const key of walk.keys(prefix, after, signal)) {
          if (objects.length === PAGE) return { objects, more: true };
          const object = await objectAt(key, signal);
          if (object) objects.push(object);
        }
        checkRoot();
        return { objects, more: false };
      });
    },

    head(key, signal) {
      return attempt(`Reading ${join(root, key)}`, async () => {
        checkKey(key);
        checkRoot();
        if (!(await objectAt(key, signal))) return undefined;
        const { etag, sha256Hex, stats } = await readEtag(join(root, key), signal);
        return { key, sizeBytes: Number(stats.size), etag, sha256Hex };
      });
    },

    get(key, signal) {
      return attempt(`Reading ${join(root, key)}`, async () => {
        checkKey(key);
        throwIfAborted(signal);
        try {
          const file = await open(join(root, key), 'r');
          return file.createReadStream(signal ? { signal } : {});
        } catch (error) {
          if (errnoOf(error) !== 'ENOENT') throw error;
          throw new StoreError('bad-request', `There is no ${join(root, key)}.`, {
            code: 'NoSuchKey',
            cause: error,
          });
        }
      });
    },

    async close() {},
  };
}

/** An error of the caller's own code goes back to it as it is. */
class CallersError extends Error {}

function callersOwn<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new CallersError('', { cause: error });
  }
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CallersError) throw error.cause;
    throw folderError(error, doing);
  }
}
