// A million retained files as the ledger knows them, to be looked through.
import type { TestContext } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { type Browser, createBrowser } from '../../app/files/browse.ts';
import { openLedger } from '../../app/files/ledger/ledger.ts';
import { createQueue } from '../../app/files/queue.ts';
import type { FilesSettings } from '../../app/files/settings.ts';
import { createSettling } from '../../app/files/settle.ts';
import { tempDir } from '../support/temp.ts';

export const MILLION = 1_000_000;
const DAY_MS = 86_400_000;

/** Evenly spread over the day before `nowMs`, the newest last. */
export async function millionFiles(t: TestContext): Promise<{ browser: Browser; nowMs: number }> {
  const ledger = openLedger({ directory: await tempDir(t), source: 's', store: 't' });
  t.after(() => ledger.close());
  const nowMs = Date.now();
  for (let number = 0; number < MILLION; number += 1) {
    const at = nowMs - DAY_MS + (number * DAY_MS) / MILLION;
    const path = `2026-11-20/${number % 24}/file-${number}.dat`;
    const stat = { size: 1_024, mtimeMs: at, ctimeMs: at, ino: number };
    const digests = { sha256: 'a'.repeat(64), etag: 'b'.repeat(32), proof: 'put' } as const;
    ledger.remember({ path, key: `hh=13/${path}`, stat, ...digests, proved: true }, undefined);
    if (number % 1_000 === 0) ledger.commit();
  }
  const browser = createBrowser({
    ledger,
    queue: createQueue(),
    settling: createSettling(1_000),
    backoff: createBackoff(),
    refused: createBackoff(),
    // What else the settings hold is not asked for.
    settings: { keep: false, retentionMs: DAY_MS } as FilesSettings,
    clock: systemClock,
    finder: { root: '/nowhere' } as Parameters<typeof createBrowser>[0]['finder'],
  });
  return { browser, nowMs };
}
