import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandNames, createProgram } from '../app/command-line.ts';
import { EXAMPLES, type ExampleOf } from '../app/commands/examples.ts';
import { exitCodes } from '../app/commands/exit-codes.ts';
import { writtenFlags } from '../app/commands/settings-flags.ts';
import { EXIT } from '../app/core/errors.ts';
import { resolveSettings } from '../app/core/settings/settings.ts';
import { filesSpec } from '../app/files/settings.ts';
import { ferry, ROOT } from './support/cli.ts';
import { tempDir } from './support/temp.ts';

const around = { env: {}, stdout: process.stdout, stderr: process.stderr };

/** The words of an example line, its quotes removed as a shell does. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);
}

test('the version is one line', async () => {
  const { exit, stdout, stderr } = await ferry(['--version']);
  assert.deepEqual({ exit, stderr }, { exit: 0, stderr: '' });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('every command has a help text with examples, and nothing is needed to read it', async () => {
  const names = commandNames(createProgram(around, () => {})).filter((name) => name !== 'help');
  assert.deepEqual([...names, 'ferry'].sort(), Object.keys(EXAMPLES).sort());
  const runs = [[], ...names.map((name) => [name])].map(async (words) => {
    const { exit, stdout, stderr } = await ferry([...words, '--help']);
    assert.deepEqual({ exit, stderr }, { exit: 0, stderr: '' });
    assert.match(stdout, /^Usage: ferry/);
    for (const { line } of EXAMPLES[(words[0] ?? 'ferry') as ExampleOf])
      assert.ok(stdout.includes(line), line);
  });
  await Promise.all(runs);
});

test('every example of `ferry files` is a command line that Ferry takes', () => {
  const lines = Object.values(EXAMPLES)
    .flat()
    .map(({ line }) => line);
  const ofFiles = lines.filter((line) => line.startsWith('ferry files'));
  assert.ok(ofFiles.length >= 5);
  for (const line of ofFiles) {
    const program = createProgram(around, () => {});
    const files = program.commands.find((command) => command.name() === 'files');
    assert.ok(files);
    files.action(() => {
      const readText = () => 'files: { source: /data, to: s3://my-bucket }';
      const { problems } = resolveSettings(filesSpec, { ...writtenFlags(files), env: {}, readText });
      assert.deepEqual(problems, [], line);
    });
    program.parse(wordsOf(line), { from: 'user' });
  }
});

test('the exit codes that are explained are exactly those there are', async () => {
  assert.deepEqual(Object.fromEntries(exitCodes().map(({ name, code }) => [name, code])), { ...EXIT });
  const { stdout } = await ferry(['--help']);
  for (const { code, meaning } of exitCodes())
    assert.match(stdout, new RegExp(`^ +${code}  ${meaning}$`, 'm'));
});

test('wrong settings end with code 2, everything that is wrong on stderr and nothing on stdout', async () => {
  const words = [
    'files',
    '--sorce',
    '/data',
    '--to',
    's3://bucket/a/../b',
    '--settle',
    '--keep',
    '--no-once',
  ];
  const { exit, stdout, stderr } = await ferry(words, { env: { FERRY_RETENTON: '1h' } });
  assert.equal(exit, EXIT.config);
  assert.equal(stdout, '');
  assert.match(stderr, /^ferry: 5 settings are wrong, nothing was done:\n/);
  for (const part of [
    '--sorce is an unknown flag',
    '--settle has no value',
    '--source is missing',
    'FERRY_RETENTON',
  ])
    assert.ok(stderr.includes(part), part);
  assert.match(stderr, /--to "s3:\/\/bucket\/a\/\.\.\/b" has a prefix that holds \.\./);
  assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
});

test('a word that is no command, and a flag without its command, are answered with what was meant', async () => {
  const [typo, flag, help, misspelled] = await Promise.all([
    ferry(['fils', '--source', '/data']),
    ferry(['--source', '/data', '--to', '/out']),
    ferry(['help', 'docter']),
    ferry(['--sorce', 'x']),
  ]);
  assert.match(
    misspelled.stderr,
    /^ferry: --sorce is an unknown flag\. Did you mean `ferry files --source …`\?/,
  );
  assert.deepEqual([typo.exit, flag.exit, help.exit], [2, 2, 2]);
  assert.match(typo.stderr, /^ferry: There is no command "fils"\. Did you mean `ferry files`\?/);
  assert.match(flag.stderr, /^ferry: --source is a flag of `ferry files`\./);
  assert.match(help.stderr, /Did you mean `ferry doctor`\?/);
});

test('a switch takes no value, and `ferry config` does not send people to itself', async () => {
  const [valued, config] = await Promise.all([
    ferry(['files', '--source', '/data', '--to', '/out', '--once=maybe']),
    ferry(['config', '--source', '/data', '--to', '/out', '--retention', '12']),
  ]);
  assert.match(valued.stderr, /--once takes no value\n/);
  assert.match(config.stderr, /has no unit; did you mean 12h\?/);
  assert.doesNotMatch(config.stderr, /ferry config/);
});

test('`ferry config` shows every value with its origin and no secret, as a table and as JSON', async (t) => {
  const directory = await tempDir(t);
  writeFileSync(join(directory, 'ferry.yaml'), 'files:\n  source: /data\n  drain: 10s\n');
  const env = {
    FERRY_TO: 's3://bucket/prefix',
    FERRY_ENDPOINT: 'https://user:hunter2@s3.example.com',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
  };
  const words = ['config', '--config', 'ferry.yaml', '--no-keep', '--settle', '2s'];
  const [table, json] = await Promise.all([
    ferry(words, { env, cwd: directory }),
    ferry([...words, '--json'], { env, cwd: directory }),
  ]);
  assert.deepEqual([table.exit, table.stderr, json.exit, json.stderr], [0, '', 0, '']);
  assert.doesNotMatch(table.stdout + json.stdout, /hunter2/);
  for (const line of [
    /^source +\/data +file ferry\.yaml:2$/m,
    /^to +s3:\/\/bucket\/prefix +env FERRY_TO$/m,
    /^settle +2s +flag --settle$/m,
    /^keep +false +flag --no-keep$/m,
    /^drain +10s +file ferry\.yaml:3$/m,
    /^retention +24h +default$/m,
    /^endpoint +https:\/\/\*\*\*@s3\.example\.com +env FERRY_ENDPOINT$/m,
    /^AWS_SECRET_ACCESS_KEY +found in environment/m,
  ])
    assert.match(table.stdout, line);
  const answer = JSON.parse(json.stdout) as { ok: boolean; settings: { name: string }[] };
  assert.equal(answer.ok, true);
  const settle = answer.settings.find(({ name }) => name === 'settle');
  assert.deepEqual(settle, {
    name: 'settle',
    field: 'settleMs',
    text: '2s',
    value: 2_000,
    origin: 'flag --settle',
  });
});

test('`ferry config` shows what there is even when something is missing, and ends with code 2', async () => {
  const { exit, stdout, stderr } = await ferry(['config', '--settle', 'soon']);
  assert.equal(exit, EXIT.config);
  assert.match(stdout, /^source +\(missing\)/m);
  assert.match(stdout, /^settle +soon \(wrong\)/m);
  assert.match(stderr, /3 settings are wrong/);
});

test('a reader that leaves early is no error', async () => {
  const child = spawn(process.execPath, [join(ROOT, 'app/main.ts'), 'files', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [exit] = await once(child, 'close');
  assert.deepEqual({ exit, stderr }, { exit: 0, stderr: '' });
});

/** Makes the first write to stdout do this instead: a defect on demand, in a real process. */
function onFirstWrite(code: string): Record<string, string> {
  const preload = `const write = process.stdout.write; let first = true;
    process.stdout.write = function (...words) {
      if (first) { first = false; ${code} }
      return write.apply(this, words);
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
}

test('a defect ends with code 1 and one line; where it is comes with --stack or FERRY_STACK only', async () => {
  const env = onFirstWrite("throw new Error('boom at http://me:hunter2@host');");
  const words = ['config', '--source', '/data', '--to', '/out'];
  const [plain, flag, variable] = await Promise.all([
    ferry(words, { env }),
    ferry([...words, '--stack'], { env }),
    ferry(words, { env: { ...env, FERRY_STACK: '1' } }),
  ]);
  assert.deepEqual([plain.exit, flag.exit, variable.exit], [1, 1, 1]);
  const line = 'ferry: internal error: boom at http://***@host';
  assert.equal(plain.stderr, `${line} (run again with --stack to see where)\n`);
  for (const { stderr } of [flag, variable]) {
    assert.ok(stderr.startsWith(`${line}\n`), stderr);
    assert.match(stderr, /\n +at .*command-line\.ts/);
    // The frames below name the preload, whose address holds its own text.
    assert.doesNotMatch(stderr.split('\n').slice(0, 2).join('\n'), /hunter2/);
  }
});

test('of all warnings only the one about node:sqlite is hidden', async () => {
  const env = onFirstWrite(`
    process.emitWarning('SQLite is an experimental feature and might change', 'ExperimentalWarning');
    process.emitWarning('Something else is', 'ExperimentalWarning');`);
  const { exit, stderr } = await ferry(['config', '--source', '/data', '--to', '/out'], { env });
  assert.equal(exit, 0);
  assert.doesNotMatch(stderr, /SQLite/);
  assert.match(stderr, /Something else is/);
});
