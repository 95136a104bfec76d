// A million events of one day, as the image runs: flat memory, and a rate that no API limits.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../app/bundle.ts';
import { eventsSection, keepEventsRecord } from '../../bench/events.ts';
import { ROOT } from '../support/cli.ts';
import { readDay } from '../support/events/rig.ts';
import { cpuMs, peakRssBytes, spawnFerry } from '../support/ferry-child.ts';
import { imageCommand } from '../support/image.ts';
import { tempDir } from '../support/temp.ts';

const COUNT = 1_000_000;
const MOST_MIB = 150;
/** For each second of processor time: what else a machine has to do must not count. */
const LEAST_PER_SECOND = 20_000;
/** By the clock, beside another suite on both cores. */
const LEAST_BY_CLOCK = 5_000;

test('1,000,000 events: at most 150 MiB resident, at least 20,000 for a second of processor time', async (t) => {
  const directory = await tempDir(t);
  const { program: built } = await bundle(join(directory, 'app'));
  const server = spawn(process.execPath, [join(ROOT, 'test/support/events/fast-api.ts'), String(COUNT)]);
  t.after(() => server.kill());
  const port = await firstLine(server);
  const config = join(directory, 'events.yaml');
  writeFileSync(config, `url: http://127.0.0.1:${port}/events\nsave_data_locally: true\nevents: [event]\n`);
  const startedMs = performance.now();
  const run = spawnFerry(t, ['events', '--config', config, '--day', '2026-11-19'], {
    program: imageCommand(built),
    cwd: directory,
    env: { API_KEY: 'a-key-of-no-secret' },
  });
  let peakBytes = 0;
  let spentMs = 0;
  const look = setInterval(() => {
    try {
      peakBytes = Math.max(peakBytes, peakRssBytes(run.pid) || 0);
      spentMs = cpuMs(run.pid) || spentMs;
    } catch {
      // It has just ended.
    }
  }, 100);
  const { exit, stdout } = await run.ended;
  clearInterval(look);
  const seconds = (performance.now() - startedMs) / 1_000;
  assert.equal(exit, 0, stdout);
  const day = readDay(join(directory, 'data'), 'event', '2026-11-19');
  assert.equal(day?.docs.length, COUNT);
  assert.equal(new Set(day.docs.map(({ id }) => id)).size, COUNT);
  const peakMib = peakBytes / 2 ** 20;
  const perSecond = Math.round(COUNT / seconds);
  const perCpuSecond = Math.round(COUNT / (spentMs / 1_000));
  t.diagnostic(
    `${peakMib.toFixed(0)} MiB at most, ${perSecond} events a second, ${perCpuSecond} a second of its own, ${seconds.toFixed(1)} s in all`,
  );
  if (process.env.FERRY_WRITE_DOCS === '1')
    keepEventsRecord({
      ...{ date: new Date().toISOString().slice(0, 10), records: COUNT },
      ...{ peakRssBytes: peakBytes, seconds: Number(seconds.toFixed(2)) },
    });
  assert.ok(peakMib <= MOST_MIB, `${peakMib} MiB`);
  assert.ok(perCpuSecond >= LEAST_PER_SECOND, `${perCpuSecond} for each second of processor time`);
  assert.ok(perSecond >= LEAST_BY_CLOCK, `${perSecond} a second`);
});

async function firstLine(server: ChildProcess): Promise<string> {
  const { stdout } = server;
  assert.ok(stdout);
  const [chunk] = (await once(stdout, 'data')) as [Buffer]; // a stream of bytes
  return chunk.toString().trim();
}

test('docs/benchmark.md holds the figure that was measured last', () => {
  const page = readFileSync(join(ROOT, 'docs/benchmark.md'), 'utf8');
  assert.ok(page.endsWith(eventsSection()), 'docs/benchmark.md is stale: run npm run bench -- --write-docs');
});
