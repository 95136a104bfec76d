// Every command in README and docs is run as it stands there: with its buckets on a real S3 server of this machine and
// its directories in a temporary one, and an events API beside it. What is run by another suite is held against its name;
// what nothing here can run is named.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../app/core/errors.ts';
import { COMPILED, ROOT } from './support/cli.ts';
import { API_KEY, docsOf, startEventsApi } from './support/events/api.ts';
import { credentialsOf } from './support/ferry-child.ts';
import { type S3Server, startS3Server } from './support/s3/server.ts';
import { tempDir, until } from './support/temp.ts';

const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];
/** Lines that are not run here: by which test instead, or why by none. */
const ELSEWHERE: readonly (readonly [RegExp, { readonly by: string } | { readonly needs: string }])[] = [
  [/^npm ci && npm start$/, { by: 'test/npm-start.test.ts' }],
  [/^npm ci( && npm test)?$/, { by: '.ci/run' }],
  [/^npm run synth/, { by: 'test/manifests/synth.test.ts' }],
  [/^npm run image /, { by: 'test/cluster/prepare.ts' }],
  [/^npm run preview$/, { by: 'test/pulumi/preview.pulumi.test.ts' }],
  [
    /^kubectl apply -f dist\/minikube-events$|^kubectl -n ferry create secret /,
    { needs: 'a cluster with an API' },
  ],
  [/^kubectl |^head /, { by: 'test/cluster/minikube.cluster.test.ts' }],
  [/^pulumi .*--stack minikube$|^pulumi stack init minikube$/, { by: 'test/pulumi/minikube.pulumi.test.ts' }],
  [/^pulumi preview .*--policy-pack/, { by: 'test/pulumi/policies.pulumi.test.ts' }],
  [/^pulumi (up|destroy|stack init)\b/, { by: 'test/pulumi/staging.pulumi.test.ts' }],
  [/^eval "\$\(pulumi stack output doctor/, { by: 'test/pulumi/runs.pulumi.test.ts' }],
  [/^eval "\$\(pulumi stack output page/, { by: 'test/pulumi/minikube.pulumi.test.ts' }],
  [/^minikube start$/, { needs: 'minikube' }],
  [/^docker /, { needs: 'docker' }],
  [/^(eksctl|aws) |^pulumi (login|state) |^export PULUMI_/, { needs: 'an AWS account' }],
];
/** The tree of docs/events.md is no command. */
const NO_COMMAND = /^raw\//;
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
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const lines = blocks
    .filter(([, language = '']) => ['', 'sh', 'bash'].includes(language))
    .flatMap(([, , block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+# .*$|^#.*$/, '').trim())
    .filter((line) => line !== '' && !NO_COMMAND.test(line));
  const inline = [...text.matchAll(/`(npm start -- [^`…]+)`/g)];
  return [...lines, ...inline.map(([, line = '']) => line)];
}

/** Without a shell's redirection: what is printed is looked at here. */
function wordsOf(text: string): string[] {
  const line = text.replace(/ > \S+$/, '');
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
      API_KEY,
      ...COMPILED,
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
      120_000,
    );
    child.kill('SIGTERM');
  }
  const code = await ended;
  const allowed = OTHER_ENDS.find(([pattern]) => pattern.test(line))?.[1] ?? [EXIT.ok];
  assert.ok(code !== null && allowed.includes(code), `${line} ended with ${code}:\n${output.slice(-800)}`);
  return output;
}

test('every command in README and docs does what it is there for', { timeout: 1_500_000 }, async (t) => {
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
  const api = await startEventsApi(t);
  api.docs.set('charge/2026-11-20', docsOf('charge', '2026-11-20', 25));
  writeFileSync(join(directory, 'events.yaml'), eventsSettings(api.url, server.endpoint));
  const all = new Set(
    PAGES.flatMap(commandsOf).map((line) =>
      line
        .replace(/^API_KEY=\S+ /, '')
        .replace(/^npm start --(?= )/, 'ferry')
        .replace(/^npm start$/, 'ferry'),
    ),
  );
  const ours = [...all].filter((line) => /^ferry\b/.test(line));
  const needs = new Set<string>();
  for (const line of [...all].filter((line) => !ours.includes(line))) {
    const [, where] =
      ELSEWHERE.find(([pattern]) => pattern.test(line)) ?? assert.fail(`nothing runs ${line}`);
    if ('needs' in where) needs.add(where.needs);
    else assert.ok(existsSync(join(ROOT, where.by)), `${where.by} is said to run ${line}`);
  }
  assert.ok(ours.length >= 25, `${ours.length} commands`);
  for (const [number, line] of ours.entries()) await run(t, line, { directory, server }, number);
  assert.ok(api.asked.length > 0, 'the API was asked');
  t.diagnostic(
    `${ours.length} of ${all.size} commands run here, others by other suites; none for want of ${[...needs].join(', ')}`,
  );
});

/** README's own example, with an API and a bucket of this machine. */
function eventsSettings(url: string, endpoint: string): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, example = ''] = /^```yaml\n(url: .*?)^```$/ms.exec(readme) ?? [];
  assert.match(example, /^s3_bucket: my-bucket$/m);
  return `${example.replace(/^url: .*$/m, `url: ${url}`)}s3: { endpoint: '${endpoint}', path_style: true }\n`;
}
