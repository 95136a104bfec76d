// A page over a mover of a rig, served on a port of its own.
import type { TestContext } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { startHealthServer } from '../../app/core/http.ts';
import type { Mover } from '../../app/files/mover.ts';
import type { FilesSnapshot } from '../../app/files/snapshot.ts';
import type { AccessRules } from '../../app/page/access.ts';
import type { History } from '../../app/page/history.ts';
import { createPage, type Page } from '../../app/page/page.ts';
import type { PageSettings } from '../../app/page/status.ts';

export const PAGE_SETTINGS: PageSettings = {
  source: '/var/file-writer/data',
  to: 's3://my-bucket/site-1',
  keep: false,
  retentionMs: 86_400_000,
  lowWatermark: 0.75,
  highWatermark: 0.85,
  criticalWatermark: 0.95,
};

export interface Served {
  /** `http://127.0.0.1:1234`, without a slash at the end. */
  readonly url: string;
  readonly page: Page;
}

export async function servePage(
  t: TestContext,
  mover: Pick<Mover, 'snapshot' | 'files'>,
  over: {
    access?: AccessRules;
    settings?: Partial<PageSettings>;
    snapshot?: () => FilesSnapshot;
    history?: History;
  } = {},
): Promise<Served> {
  const snapshot = over.snapshot ?? (() => mover.snapshot());
  const page = createPage({
    mover: { snapshot, files: mover.files },
    settings: { ...PAGE_SETTINGS, ...over.settings },
    access: over.access ?? { mode: 'local', token: undefined },
    clock: systemClock,
    ...(over.history && { history: over.history }),
  });
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => '',
    contentType: 'text/plain',
    live: () => ({ ok: true, reason: '' }),
    ready: () => ({ ok: true, reason: '' }),
    page: page.handle,
  });
  t.after(async () => {
    page.close();
    await server.close();
  });
  return { url: `http://127.0.0.1:${server.port}`, page };
}
