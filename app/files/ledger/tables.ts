// The ledger's smaller tables: what a reconcile compares, and multipart uploads that are not finished.
import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { FileStat } from '../walk.ts';
import type { Candidates, Uploads } from './ledger.ts';

export function candidatesOver(db: DatabaseSync): Candidates {
  const add = db.prepare('INSERT OR REPLACE INTO candidates VALUES (?,?,?,?,?,?)');
  const after = db.prepare('SELECT * FROM candidates WHERE (key, path) > (?, ?) ORDER BY key, path LIMIT ?');
  return {
    clear: () => db.exec('DELETE FROM candidates'),
    add(candidates) {
      db.exec('BEGIN');
      try {
        for (const { key, path, stat } of candidates) {
          add.run(key, path, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino);
        }
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    after: (key, path, limit) =>
      after.all(key, path, limit).map((record) => ({
        path: String(record.path),
        key: String(record.key),
        stat: statOf(record),
      })),
  };
}

const uploadSchema = z.object({
  uploadId: z.string(),
  parts: z.array(
    z.object({ number: z.number(), etag: z.string(), sha256: z.string(), sizeBytes: z.number() }),
  ),
});

export function uploadsOver(db: DatabaseSync): Uploads {
  const get = db.prepare('SELECT state FROM uploads WHERE path = ? AND identity = ?');
  const set = db.prepare('INSERT OR REPLACE INTO uploads VALUES (?,?,?)');
  const drop = db.prepare('DELETE FROM uploads WHERE path = ?');
  const identityOf = (key: string, stat: FileStat): string =>
    JSON.stringify([key, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino]);
  return {
    get(path, key, stat) {
      const text = get.get(path, identityOf(key, stat))?.state;
      if (typeof text !== 'string') return undefined;
      try {
        return uploadSchema.parse(JSON.parse(text));
      } catch {
        // A damaged row: the upload begins anew.
        return undefined;
      }
    },
    set: (path, key, stat, state) => void set.run(path, identityOf(key, stat), JSON.stringify(state)),
    delete: (path) => void drop.run(path),
  };
}

/** The columns every table of files has. */
export function statOf(record: Record<string, unknown>): FileStat {
  return {
    size: Number(record.size),
    mtimeMs: Number(record.mtime),
    ctimeMs: Number(record.ctime),
    ino: Number(record.ino),
  };
}
