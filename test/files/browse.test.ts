// Looking for files that fail: those that cannot be sent, and those whose delete is refused.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createBrowser } from '../../app/files/browse.ts';
import { openLedger } from '../../app/files/ledger/ledger.ts';
import { createQueue } from '../../app/files/queue.ts';
import type { FilesSettings } from '../../app/files/settings.ts';
import { createSettling } from '../../app/files/settle.ts';
import { tempDir } from '../support/temp.ts';
import { found, rowFor } from './rows.ts';

test('failing finds what cannot be sent and what cannot be deleted, and all finds each once', async (t) => {
  const directory = await tempDir(t);
  const root = join(directory, 'source');
  mkdirSync(root);
  for (const name of ['bad', 'stuck', 'fine', 'gone']) writeFileSync(join(root, name), name);
  const ledger = openLedger({ directory: join(directory, 'state'), source: root, store: 't' });
  t.after(() => ledger.close());
  for (const name of ['stuck', 'fine'])
    ledger.remember(rowFor(found(root, name), name, Buffer.from(name), true), undefined);
  const [backoff, refused] = [createBackoff(), createBackoff()];
  backoff.failed('bad', 'unreadable', 'may not be read', 0);
  backoff.failed('not-there-any-more', 'unreadable', 'may not be read', 0);
  refused.failed('stuck', 'cannot-delete', 'may not be deleted', 0);
  const browser = createBrowser({
    ledger,
    queue: createQueue(),
    settling: createSettling(1_000),
    backoff,
    refused,
    // What else the settings hold is not asked for.
    settings: { keep: false, retentionMs: 1_000 } as FilesSettings,
    clock: systemClock,
    finder: { root } as Parameters<typeof createBrowser>[0]['finder'],
  });
  const all = { name: '', sinceMs: 0, untilMs: Number.POSITIVE_INFINITY, after: undefined, limit: 10 };
  const ask = async (state: 'failing' | 'proved' | undefined) =>
    (await browser.newest({ ...all, state })).files
      .map((file) => `${file.path} ${file.state} ${file.trouble?.reason ?? '-'}`)
      .sort();
  assert.deepEqual(await ask('failing'), ['bad failing unreadable', 'stuck proved cannot-delete']);
  assert.deepEqual(await ask('proved'), ['fine proved -', 'stuck proved cannot-delete']);
  assert.deepEqual(await ask(undefined), [
    'bad failing unreadable',
    'fine proved -',
    'stuck proved cannot-delete',
  ]);
});
