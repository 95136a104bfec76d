// What a person reads while a run goes on, and at its end.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../app/core/log.ts';
import { drawProgress, endingText, progressText } from '../../app/events/progress.ts';
import { openWorkshop } from '../../app/events/run.ts';
import { collect, ROOT } from '../support/cli.ts';
import { API_KEY } from '../support/events/api.ts';
import { createEventsRig } from '../support/events/rig.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/temp.ts';

test('the line tells type-days, records a second, requests at once and retries; the end names what failed', async (t) => {
  const rig = await createEventsRig(t);
  const { signal } = new AbortController();
  const clock = createFakeClock();
  const shop = await openWorkshop({
    settings: rig.settings(),
    clock,
    log: silentLog,
    signal,
    env: { API_KEY },
  });
  t.after(() => shop.close());
  const sinceMs = clock.now();
  shop.counts.records = 120_300;
  shop.counts.retries = 3;
  await clock.advance(10_000);
  assert.equal(
    progressText(shop, 42, 12, sinceMs),
    '12 of 42 type-days, 120,300 records, 12,030 a second, 1 requests at once, 3 retries',
  );
  const unit = { type: 'charge', day: '2026-11-20', duplicates: 0, revision: 1, changes: undefined };
  const ending = {
    exit: 'data' as const,
    done: [
      { ...unit, outcome: 'sealed' as const, records: 1_200 },
      { ...unit, outcome: 'unchanged' as const, records: 9 },
    ],
    failed: [{ ...unit, exit: 'data' as const, reason: 'http-401', message: '', curl: '' }],
    stopped: 0,
  };
  assert.equal(
    endingText(ending, shop, sinceMs),
    '1 sealed, 1 unchanged, 1 failed: 1,200 records in 10s, 3 retries; failed: charge 2026-11-20 (http-401)',
  );
});

test('the line is redrawn in place, cut to the terminal, and gone at the end', async () => {
  const clock = createFakeClock();
  let written = '';
  const terminal = { columns: 20, write: (text: string) => (written += text) };
  const line = drawProgress(terminal, clock, () => 'a line that is longer than the terminal');
  assert.ok(written.endsWith('\r\u001b[Ka line that is long'));
  line.above('a log line\n');
  assert.ok(written.endsWith('\r\u001b[Ka log line\n'));
  await clock.advance(500);
  assert.ok(written.endsWith('a line that is long'));
  line.done();
  const after = written;
  await clock.advance(5_000);
  assert.equal(written, after);
  assert.ok(written.endsWith('\r\u001b[K'));
});

test('a run on a terminal draws that line, while lines of the log go above it', async (t) => {
  if (spawnSync('script', ['--version']).status !== 0) return t.skip('needs script (util-linux)');
  const rig = await createEventsRig(t);
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  // The line is drawn while the API is awaited.
  rig.api.before = ({ number }) => (number === 1 ? opened : undefined);
  const config = join(rig.directory, 'events.yaml');
  writeFileSync(config, `url: ${rig.api.url}\nsave_data_locally: true\nevents: [charge]\n`);
  const words = [
    process.execPath,
    join(ROOT, 'app/main.ts'),
    'events',
    '--config',
    config,
    '--day',
    '2026-11-10',
  ];
  const terminal = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
    cwd: rig.directory,
    env: { PATH: process.env.PATH, TERM: 'xterm', API_KEY, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { output, ended } = collect(terminal);
  await until(
    () => output.stdout.includes('\r\u001b[K0 of 1 type-days, 0 records'),
    'the line is drawn',
    30_000,
  );
  open();
  assert.equal((await ended).exit, 0, output.stdout);
  assert.match(output.stdout, /1 sealed: 0 records/);
});
