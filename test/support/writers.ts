// Writers as the field knows them: plain, tmp + rename, slow in chunks, rewriting, vanishing. Each says what its file
// held when it was complete.
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sha256, uniqueContent } from './mover-rig.ts';

export type WriterKind = 'plain' | 'renamed' | 'slow' | 'rewritten' | 'vanishing';

export const WRITER_KINDS: readonly WriterKind[] = ['plain', 'renamed', 'slow', 'rewritten', 'vanishing'];

export interface Written {
  readonly path: string;
  readonly kind: WriterKind;
  /** Of the complete contents in their order; the last one is the file's final content. Empty when it vanished. */
  readonly complete: readonly string[];
  /** Every content the file ever had when its writer had finished with it, the vanished included. */
  readonly allowed: readonly string[];
}

/** Writes one file; `pauseMs` lies between the chunks of the slow kind and must stay below the settle time. */
export async function runWriter(
  source: string,
  path: string,
  kind: WriterKind,
  pauseMs: number,
): Promise<Written> {
  const absolute = join(source, path);
  mkdirSync(dirname(absolute), { recursive: true });
  const content = uniqueContent(path, 1_000);
  switch (kind) {
    case 'plain':
      writeFileSync(absolute, content);
      return { path, kind, complete: [sha256(content)], allowed: [sha256(content)] };
    case 'renamed': {
      // The temporary name is a file like any other while it stands still; it never stands long enough.
      writeFileSync(`${absolute}.tmp`, content);
      renameSync(`${absolute}.tmp`, absolute);
      return { path, kind, complete: [sha256(content)], allowed: [sha256(content)] };
    }
    case 'slow': {
      const fd = openSync(absolute, 'w');
      for (let at = 0; at < content.length; at += 200) {
        writeSync(fd, content.slice(at, at + 200));
        await wait(pauseMs);
      }
      closeSync(fd);
      return { path, kind, complete: [sha256(content)], allowed: [sha256(content)] };
    }
    case 'rewritten': {
      const again = uniqueContent(path, 1_000);
      writeFileSync(absolute, content);
      await wait(pauseMs);
      // In place, the same size: only the times tell.
      const fd = openSync(absolute, 'r+');
      writeSync(fd, again, 0);
      closeSync(fd);
      return { path, kind, complete: [sha256(again)], allowed: [sha256(content), sha256(again)] };
    }
    case 'vanishing':
      writeFileSync(absolute, content);
      await wait(pauseMs);
      rmSync(absolute, { force: true });
      return { path, kind, complete: [], allowed: [sha256(content)] };
  }
}

/** So many writers of every kind at once, each with a file of its own. */
export function runWriters(source: string, count: number, pauseMs: number): Promise<Written[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const kind = WRITER_KINDS[number % WRITER_KINDS.length] ?? 'plain';
      await wait((number * 7) % 400);
      return runWriter(source, `w${number % 10}/${kind}-${number}`, kind, pauseMs);
    }),
  );
}
