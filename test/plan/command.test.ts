// `ferry plan` as people run it.
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandNames, createProgram } from '../../app/command-line.ts';
import { EXAMPLES } from '../../app/commands/examples.ts';
import { planSpec } from '../../app/commands/plan-settings.ts';
import { writtenFlags } from '../../app/commands/settings-flags.ts';
import { resolveSettings } from '../../app/core/settings/settings.ts';
import { SITES } from '../../app/plan/inputs.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { GROUPS, planMarkdown } from '../../app/plan/table.ts';
import { ferry } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

const around = { env: {}, stdout: process.stdout, stderr: process.stderr };

test('without flags it plans the small site, and the table holds every number with its reason', async () => {
  const { exit, stdout, stderr } = await ferry(['plan']);
  assert.deepEqual({ exit, stderr }, { exit: 0, stderr: '' });
  const plan = planCapacity(SITES.small);
  for (const [name, label] of GROUPS.flatMap(({ rows }) => rows))
    assert.ok(
      stdout.split('\n').some((line) => line.includes(`${label} `) && line.endsWith(plan[name].why)),
      label,
    );
  assert.match(stdout, /518,400 files x 4 KiB, because a file of 1 KiB occupies a whole block/);
  assert.match(stdout, /https:\/\/aws\.amazon\.com\/s3\/pricing/);
});

test('the JSON is the plan itself: a value, a unit and a reason under a stable name', async () => {
  const { exit, stdout } = await ferry(['plan', '--site', 'burst', '--json']);
  assert.equal(exit, 0);
  const plan = planCapacity(SITES.burst);
  const answer = JSON.parse(stdout);
  assert.deepEqual(answer.sizeLimitBytes, plan.sizeLimitBytes);
  assert.deepEqual(answer.inputs.burst, 5_000);
  assert.match(answer.prices.asOf, /^\d{4}-\d\d-\d\d$/);
});

test('flags win over the site, and Markdown has a table for each group', async () => {
  const words = [
    'plan',
    '--site',
    'burst',
    '--retention',
    '36h',
    '--outage',
    '1d',
    '--starts',
    '2',
    '--markdown',
  ];
  const { exit, stdout } = await ferry(words);
  assert.equal(exit, 0);
  const changed = { retentionMs: 36 * 3_600_000, outageMs: 24 * 3_600_000, starts: 2 };
  assert.equal(stdout, planMarkdown(planCapacity({ ...SITES.burst, ...changed })));
  assert.equal(stdout.match(/^\| What \|/gm)?.length, GROUPS.length);
});

test('everything that is wrong is told at once, with code 2 and nothing on stdout', async () => {
  const words = [
    'plan',
    '--rate',
    '-1',
    '--sise',
    '1Ki',
    '--burst',
    'many',
    '--low-watermark',
    '0.9',
    '--json',
    '--markdown',
  ];
  const { exit, stdout, stderr } = await ferry(words);
  assert.deepEqual({ exit, stdout }, { exit: 2, stdout: '' });
  for (const part of [
    '5 settings are wrong',
    '--sise is an unknown flag',
    '--rate "-1" is no number',
    '--burst "many" is no whole number',
    'two forms of the answer',
    'the watermarks 0.9, 0.85 and 0.95 do not rise',
  ])
    assert.ok(stderr.includes(part), part);
});

test('a writer that makes nothing is refused in one sentence', async () => {
  const { exit, stderr } = await ferry(['plan', '--rate', '0']);
  assert.equal(exit, 2);
  assert.match(stderr, /the writer makes no file at all/);
});

test('a real directory is measured and planned from; its rate, sizes and burst are said', async (t) => {
  const directory = await tempDir(t);
  const nowS = Math.floor(Date.now() / 60_000) * 60 - 3 * 3_600;
  mkdirSync(join(directory, 'a/b'), { recursive: true });
  const write = (name: string, size: number, atS: number): void => {
    writeFileSync(join(directory, name), Buffer.alloc(size));
    utimesSync(join(directory, name), atS, atS);
  };
  for (let index = 0; index < 400; index += 1) write(`a/first-${index}`, 5_000, nowS + 30);
  for (let index = 0; index < 720; index += 1) write(`a/b/file-${index}`, 900, nowS + index * 10);
  const { exit, stdout, stderr } = await ferry([
    'plan',
    '--observe',
    directory,
    '--retention',
    '12h',
    '--json',
  ]);
  assert.deepEqual({ exit, stderr }, { exit: 0, stderr: '' });
  const { inputs, observed, retainedFiles } = JSON.parse(stdout);
  assert.equal(observed.files, 1_120);
  assert.equal(inputs.rate, 0.1);
  assert.ok(Math.abs(inputs.burst - 400) < 10, String(inputs.burst));
  assert.deepEqual([inputs.sizeBytes, inputs.allocatedBytes], [900, 4_096]);
  assert.equal(retainedFiles.value, 4_320 + 2 * inputs.burst);
  const text = await ferry(['plan', '--observe', directory]);
  assert.match(text.stdout, /bursts: 1, the largest of/);
});

test('a directory that is empty or missing ends with the code for a source', async (t) => {
  const directory = await tempDir(t);
  const [empty, missing] = await Promise.all([
    ferry(['plan', '--observe', directory]),
    ferry(['plan', '--observe', join(directory, 'nowhere')]),
  ]);
  assert.deepEqual([empty.exit, missing.exit], [3, 3]);
  assert.match(empty.stderr, /it holds no file/);
  assert.match(missing.stderr, /ENOENT/);
});

test('every example of `ferry plan` is a command line that Ferry takes', () => {
  for (const { line } of EXAMPLES.plan) {
    const program = createProgram(around, () => {});
    assert.ok(commandNames(program).includes('plan'));
    const command = program.commands.find((candidate) => candidate.name() === 'plan');
    assert.ok(command);
    command.action(() => {
      assert.deepEqual(resolveSettings(planSpec, { ...writtenFlags(command), env: {} }).problems, [], line);
    });
    program.parse(line.split(' ').slice(1), { from: 'user' });
  }
});
