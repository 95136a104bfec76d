import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { runDemo } from '../../app/demo/demo.ts';
import { ROOT } from '../support/cli.ts';
import { spawnFerry } from '../support/ferry-child.ts';
import { count, demoDirectory, isAlive, startDemo, until, writerPid } from './demo-runs.ts';

const number = (text: string | undefined) => Number((text ?? 'NaN').replaceAll(',', ''));

test('the demo moves what is written, loses nothing, sends nothing twice, and its numbers are true', async (t) => {
  const root = demoDirectory(t);
  const { code, stdout, stderr } = await startDemo(t, root, '--for', '8s', '--burst', '300').ended;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^Look at it: http:\/\/127\.0\.0\.1:\d+\/\n/, 'the first thing said is where to look');
  assert.ok(!stdout.includes('\u001b'), 'no escape codes without a terminal');
  const equation =
    /^written ([\d,]+) = in the bucket ([\d,]+) \+ still local only ([\d,]+); 0 lost, 0 sent twice$/m.exec(
      stdout,
    );
  assert.ok(equation, stdout);
  const counted = count(root);
  assert.deepEqual(equation.slice(1, 4).map(number), [counted.written, counted.inBucket, counted.stillLocal]);
  assert.equal(counted.written, counted.inBucket + counted.stillLocal);
  assert.equal(counted.objects, counted.inBucket, 'one object for each file');
  assert.ok(
    counted.written > 300 && counted.inBucket >= 300,
    `${counted.written} written, ${counted.inBucket} in the bucket`,
  );
});

test('SIGTERM stops the writer, drains, balances and ends well; a second start goes on from there', async (t) => {
  const root = demoDirectory(t);
  const first = startDemo(t, root, '--burst', '200', '--rate', '50');
  await until('the writer runs and has written', () => linesIn(root) > 220);
  const writer = writerPid(root) ?? assert.fail('no writer');
  first.child.kill('SIGTERM');
  const firstEnd = await first.ended;
  assert.equal(firstEnd.code, 0, firstEnd.stdout + firstEnd.stderr);
  assert.match(firstEnd.stdout, /; 0 lost, 0 sent twice$/m);
  assert.match(firstEnd.stdout, /stopping; Ctrl-C again stops at once/);
  assert.ok(!isAlive(writer));

  const again = startDemo(t, root, '--burst', '100', '--json');
  const before = linesWritten(firstEnd.stdout);
  await until('the second writer has written its burst, and more', () => linesIn(root) > before + 100);
  again.child.kill('SIGTERM');
  const second = await again.ended;
  assert.equal(second.code, 0, second.stdout + second.stderr);
  const balance: unknown = JSON.parse(second.stdout);
  const { written, inBucket, stillLocal, objects } = count(root);
  assert.ok(written > before + 100);
  assert.equal(objects, inBucket);
  assert.partialDeepStrictEqual(balance, {
    exit: 'ok',
    written,
    inBucket,
    stillLocal,
    lost: [],
    twice: [],
    different: [],
  });
});

test('on a terminal the demo draws its verdict, and says how long it has been stopping', async (t) => {
  if (!existsSync('/usr/bin/script')) return t.skip('needs script');
  const root = demoDirectory(t);
  const flags = ['--directory', root, '--for', '3s', '--burst', '50'];
  const command = [process.execPath, join(ROOT, 'app/main.ts'), 'demo', ...flags].join(' ');
  const program = ['/usr/bin/script', '-qec', command, '/dev/null'];
  const { stdout } = await spawnFerry(t, [], { program, env: { TERM: 'xterm' } }).ended;
  assert.match(stdout, /running for \d+s, writer pid/);
  assert.match(stdout, /verdict {2}(flowing|settling|idle): /);
  assert.match(stdout, /stopping; Ctrl-C again stops at once/);
  const stopping = [...stdout.matchAll(/stopping for (\S+),/g)].map(([, time = '']) => time);
  // From the stop on, not from the start three seconds before.
  assert.match(stopping[0] ?? '', /^\d+ms$/, stopping.join(' '));
  assert.match(stdout, /^written .* 0 lost, 0 sent twice\r?$/m);
});

test('the writer outlives a killed Ferry, and the next start finds it, moves everything and stops it', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('needs /proc');
    return;
  }
  const root = demoDirectory(t);
  const killed = startDemo(t, root, '--burst', '200', '--rate', '50');
  await until('the writer runs and has written', () => linesIn(root) > 220);
  const writer = writerPid(root) ?? assert.fail('no writer');
  killed.child.kill('SIGKILL');
  await killed.ended;
  const lines = linesIn(root);
  await until('it goes on writing', () => linesIn(root) > lines + 20);

  const next = startDemo(t, root, '--for', '3s', '--burst', '100000', '--json');
  const { code, stdout, stderr } = await next.ended;
  assert.equal(code, 0, stdout + stderr);
  assert.ok(!isAlive(writer));
  const { written, inBucket, stillLocal, objects } = count(root);
  assert.ok(written < 100_000, 'no second writer was started');
  assert.equal(objects, inBucket);
  assert.partialDeepStrictEqual(JSON.parse(stdout), { written, inBucket, stillLocal, lost: [], twice: [] });
});

test('on a terminal one status is redrawn, the rates are alive, the log goes to a file, the cursor comes back', async (t) => {
  const root = demoDirectory(t);
  let screen = '';
  const stdout = { isTTY: true, columns: 80, rows: 24, write: (text: string) => (screen += text) };
  const running = runDemo({
    directory: root,
    forMs: 60_000,
    burst: 50,
    rate: 20,
    stdout,
    stderr: process.stderr,
    env: { NO_COLOR: '1' },
    program: resolve('app/main.ts'),
  });
  const alive = /\u001b\[2Kout {6}[1-9][\d.,]* files\/s/;
  await until('the rates are alive', () => alive.test(screen));
  process.kill(process.pid, 'SIGTERM');
  assert.equal(await running, 'ok');
  assert.equal(screen.split('\u001b[?25l').length, 2, 'hidden once');
  assert.equal(screen.split('\u001b[?25h').length, 2, 'shown once');
  assert.ok(!/\u001b\[\d+m/.test(screen), 'no colours');
  assert.match(screen, /\u001b\[8A\r\u001b\[0J\u001b\[2Kferry {4}running for/);
  assert.match(screen.split('\u001b[?25h')[1] ?? '', /; 0 lost, 0 sent twice\n/);
  assert.ok(!screen.includes('"level"'));
  assert.match(readFileSync(join(root, 'ferry.log'), 'utf8'), /"message":"drained/);
});

function linesIn(root: string): number {
  try {
    return readFileSync(join(root, 'written.jsonl'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}

function linesWritten(stdout: string): number {
  return number(/^written ([\d,]+) /m.exec(stdout)?.[1]);
}
