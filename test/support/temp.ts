// A directory for one test, and waiting for something to become true.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

/** An empty directory, removed with all it holds after the test. */
export async function tempDir(t: Pick<TestContext, 'after'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-test-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

const POLL_MS = 10;
/** Of what must come, however slow and busy the machine is. What must come soon is asserted where it is promised. */
const DEADLINE_MS = 30_000;

/**
 * Resolves once the condition holds; looks every 10 ms, or as often as `everyMs` says where a look is dear.
 * @param what ends "gave up waiting until …" in the error thrown after `deadlineMs`
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = DEADLINE_MS,
  everyMs = POLL_MS,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > deadlineMs) {
      throw new Error(`Gave up waiting until ${what} (${deadlineMs} ms).`);
    }
    await wait(everyMs);
  }
}
