// The page of a running mover: the one place where mover and page meet. Loaded only when something is served.
import { systemClock } from '../core/clock.ts';
import type { OpenPage } from '../files/serve.ts';

export const openPage: OpenPage = async (mover, settings) => {
  const { createPage } = await import('../page/page.ts');
  const access = { mode: settings.page === 'open' ? 'open' : 'local', token: settings.pageToken } as const;
  return createPage({ mover, settings, access, clock: systemClock });
};
