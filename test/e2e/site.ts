// A mover between a directory and an S3 server of its own, whose metrics a Prometheus scrapes.
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { type HealthServer, startHealthServer } from '../../app/core/http.ts';
import { filesMetrics } from '../../app/files/metrics.ts';
import type { Mover } from '../../app/files/mover.ts';
import type { FilesSettings } from '../../app/files/settings.ts';
import { createRig, type Rig } from '../support/mover-rig.ts';

/** Several movers, their stores and a test share a process: none may take from the others what a scrape needs. */
const CALM = { proveEveryMs: 500, walkEveryMs: 1_000, walkCpuShare: 0.1 };

export interface Site {
  readonly rig: Rig;
  readonly port: number;
  mover: Mover;
  /** Another mover in the place of the first, as after a restart. */
  restart(settings?: Partial<FilesSettings>): Promise<void>;
  serve(): Promise<void>;
  /** Whoever asks gets no answer until it is served again. */
  hide(): Promise<void>;
  write(filesPerSecond: number): void;
  stopWriting(): void;
}

export async function openSite(
  t: Pick<TestContext, 'after'>,
  settings: Partial<FilesSettings> = {},
): Promise<Site> {
  const rig = await createRig(t, { settings: { ...CALM, ...settings } });
  let server: HealthServer | undefined;
  let port = 0;
  const hidden = createServer((socket) => socket.destroy());
  let timer: NodeJS.Timeout | undefined;
  let written = 0;
  const site: Site = {
    rig,
    get port() {
      return port;
    },
    mover: await rig.start(),
    async restart(changed) {
      site.mover.kill();
      await site.mover.done.catch(() => {});
      site.mover = await rig.start(changed);
    },
    async serve() {
      const { registry } = filesMetrics(() => site.mover.snapshot());
      const fine = () => ({ ok: true, reason: '' });
      const metrics = () => registry.metrics();
      const { contentType } = registry;
      if (hidden.listening) await new Promise((resolve) => hidden.close(resolve));
      server = await startHealthServer({
        host: '127.0.0.1',
        port,
        metrics,
        contentType,
        live: fine,
        ready: fine,
      });
      port = server.port;
    },
    async hide() {
      await server?.close();
      server = undefined;
      // The port stays taken: it would be anybody's otherwise when this mover is to be seen again.
      await new Promise<void>((resolve) => hidden.listen(port, '127.0.0.1', resolve));
    },
    write(filesPerSecond) {
      const sinceMs = performance.now();
      timer = setInterval(() => {
        const due = ((performance.now() - sinceMs) / 1_000) * filesPerSecond;
        while (written < due) rig.write(`d${written % 7}/file-${written++}`);
      }, 100);
    },
    stopWriting: () => clearInterval(timer),
  };
  t.after(async () => {
    clearInterval(timer);
    hidden.close();
    await server?.close();
  });
  await site.serve();
  return site;
}
