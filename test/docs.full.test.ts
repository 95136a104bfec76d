// Every command in README and docs is run as it stands there: with its buckets on a real S3 server of this machine and
// its directories in a temporary one. What needs a cluster or a container engine is named.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../app/core/errors.ts';
import { ROOT } from './support/cli.ts';
import { credentialsOf } from './support/ferry-child.ts';
import { type S3Server, startS3Server } from './support/s3/server.ts';
import { tempDir, until } from './support/temp.ts';

const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];
/** Run by other suites, by a cluster, a container engine or an account in the cloud. */
const ELSEWHERE =
  /^(npm ci|npm test|npm run |minikube |kubectl |docker |aws |head |node |pulumi |bash |eval |#|$)/;
/** These ask an API that their settings file names. */
const NEEDS_AN_API = /^ferry events\b/;
/** These go on until they are told to stop. */
const ENDLESS = /^ferry( demo)?$|^ferry files (?!.*(--once|--dry-run))/;
/** These may end otherwise: nothing is there yet, or a demo bucket lets too much. */
const OTHER_ENDS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^ferry where/, [EXIT.unhealthy]],
  [/^ferry doctor/, [EXIT.ok, EXIT.unhealthy]],
];

/** The lines of shell blocks, and of inline code in tables that begins with a command. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(?:sh|bash)?\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) =>
    block.split('\n').map((line) => line.replace(/\s+# .*$/, '').trim()),
  );
  const inline = [...text.matchAll(/`(npm start -- [^`…]+)`/g)];
  return [...lines, ...inline.map(([, line = '']) => line)];
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

interface Place {
  readonly directory: string;
  readonly server: S3Server;
}

/** Where the docs' own directories and buckets are in this test. */
function localized(words: readonly string[], { directory, server }: Place): string[] {
  return words.map((word) =>
    word
      .replace(/^s3:\/\/(my-)?bucket\b/, `s3://${server.bucket}`)
      .replace(/^(\/var\/file-writer\/data|\/data|DIR)$/, join(directory, 'data'))
      .replace(/^0\.0\.0\.0:9464|127\.0\.0\.1:9464$/, '127.0.0.1:0')
      .replace(/^http:\/\/127\.0\.0\.1:7070$/, server.endpoint)
      .replace(/^NAME$/, 'run-0000042.dat'),
  );
}

async function run(t: TestContext, line: string, place: Place, number: number): Promise<string> {
  const isFiles = /^ferry files/.test(line);
  const own = isFiles ? ['--state', join(place.directory, `state-${number}`)] : [];
  const words = [join(ROOT, 'app/main.ts'), ...localized(wordsOf(line).slice(1), place), ...own];
  const local = /--to \.\//.test(line);
  const server = { FERRY_ENDPOINT: place.server.endpoint, FERRY_PATH_STYLE: 'true' };
  const child = spawn(process.execPath, words, {
    cwd: place.directory,
    env: {
      PATH: process.env.PATH,
      HOME: place.directory,
      ...credentialsOf(place.server),
      ...(local || /^ferry (demo|plan)?/.exec(line)?.[1] !== undefined ? {} : server),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (ENDLESS.test(line)) {
    await until(
      () => /moving|Look at it/.test(output) || child.exitCode !== null,
      `${line} is under way`,
      60_000,
    );
    child.kill('SIGTERM');
  }
  const code = await ended;
  const allowed = OTHER_ENDS.find(([pattern]) => pattern.test(line))?.[1] ?? [EXIT.ok];
  assert.ok(code !== null && allowed.includes(code), `${line} ended with ${code}:\n${output.slice(-800)}`);
  return output;
}

test('every command in README and docs does what it is there for', { timeout: 600_000 }, async (t) => {
  const directory = await tempDir(t);
  const server = await startS3Server({ bucket: 'my-bucket' });
  t.after(() => server.close());
  for (const name of ['data', 'bucket']) mkdirSync(join(directory, name));
  const old = Date.now() / 1_000 - 3_600;
  for (let file = 0; file < 20; file += 1) {
    const path = join(directory, 'data', `file-${file}`);
    writeFileSync(path, `content ${file}`);
    utimesSync(path, old, old);
  }
  const settings = 'files:\n  source: ./data\n  to: s3://my-bucket/from-settings\n  path-style: true\n';
  writeFileSync(join(directory, 'ferry.yaml'), `${settings}  endpoint: ${server.endpoint}\n`);
  const all = new Set(
    PAGES.flatMap(commandsOf).map((line) =>
      line.replace(/^npm start --(?= )/, 'ferry').replace(/^npm start$/, 'ferry'),
    ),
  );
  const notHere = [...all].filter((line) => NEEDS_AN_API.test(line));
  const ours = [...all].filter((line) => line.startsWith('ferry') && !NEEDS_AN_API.test(line));
  const others = [...all].filter((line) => !line.startsWith('ferry') && !ELSEWHERE.test(line));
  const strange = others.filter((line) => /^(npx|curl|aws|zcat|promtool|git)\b/.test(line));
  assert.deepEqual(strange, [], 'commands that nothing runs');
  assert.ok(ours.length >= 20, `${ours.length} commands`);
  for (const [number, line] of ours.entries()) await run(t, line, { directory, server }, number);
  t.diagnostic(`${ours.length} commands run; not run, for want of an API: ${notHere.join('; ')}`);
});
