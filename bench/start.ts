// From the start of `ferry files` until it says it is ready: what a pod's writer waits for.
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Measured } from './measure.ts';
import { start, usageOf } from './while.ts';

const ASK_EVERY_MS = 5;
const GIVE_UP_MS = 30_000;

/** Costs up to the first 200 of /readyz; `exit` is how it ended after SIGTERM. */
export async function measureStart(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  const address = `127.0.0.1:${await freePort()}`;
  const startedMs = performance.now();
  const { child, output, ended } = start([...words, '--listen', address], env);
  while (!(await isReady(address))) {
    if (child.exitCode !== null || performance.now() - startedMs > GIVE_UP_MS) {
      child.kill('SIGKILL');
      throw new Error(`Ferry was not ready within ${GIVE_UP_MS} ms: ${output()}`);
    }
    await wait(ASK_EVERY_MS);
  }
  const wallMs = performance.now() - startedMs;
  const { userMs, systemMs, peakRssBytes, anonBytes } = usageOf(child.pid ?? 0);
  child.kill('SIGTERM');
  const exit = await ended;
  return { userMs, systemMs, wallMs, peakRssBytes, peakAnonBytes: anonBytes, exit, output: output() };
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/readyz`);
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No TCP port is free.');
  return address.port;
}
