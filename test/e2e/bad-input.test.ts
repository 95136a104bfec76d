// What a stranger gets wrong on the command line: one clear message on stderr, no stack, the documented exit code, soon.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { EXIT, type ExitName } from '../../app/core/errors.ts';
import { type ChildOptions, credentialsOf, NOBODY, spawnFerry, toServer } from '../support/ferry-child.ts';
import { createRig, type Rig } from '../support/mover-rig.ts';

/** What may come back is tried for ten seconds; the rest is for a slow machine. */
const DEADLINE_MS = 45_000;

interface Mistake {
  readonly name: string;
  readonly exit: ExitName;
  readonly says: RegExp;
  readonly words: (rig: Rig) => Promise<string[]> | string[];
  readonly options?: (rig: Rig) => ChildOptions;
  readonly needsRoot?: boolean;
  readonly prepare?: (rig: Rig) => void;
  /** It may come back, so Ferry tries for ten seconds. */
  readonly waits?: boolean;
}

const usual = (rig: Rig): string[] => ['--source', rig.source, '--state', rig.state, ...toServer(rig.server)];
const without = (words: string[], flag: string): string[] => {
  const at = words.indexOf(flag);
  return words.filter((_, index) => index !== at && index !== at + 1);
};
const replaced = (words: string[], flag: string, value: string): string[] => [
  ...without(words, flag),
  flag,
  value,
];

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

const MISTAKES: readonly Mistake[] = [
  { name: 'no source', exit: 'config', says: /--source/, words: (rig) => without(usual(rig), '--source') },
  { name: 'no destination', exit: 'config', says: /--to/, words: (rig) => without(usual(rig), '--to') },
  {
    name: 'a source that does not exist',
    exit: 'source',
    says: /not-there.*(ENOENT|does not exist|cannot be read)/,
    words: (rig) => replaced(usual(rig), '--source', join(rig.directory, 'not-there')),
  },
  {
    name: 'a source that is a file',
    exit: 'source',
    says: /a-file is not a directory/,
    prepare: (rig) => writeFileSync(join(rig.directory, 'a-file'), ''),
    words: (rig) => replaced(usual(rig), '--source', join(rig.directory, 'a-file')),
  },
  {
    name: 'a source without permission',
    exit: 'source',
    says: /EACCES.*uid 65534/,
    needsRoot: true,
    prepare: (rig) => {
      chmodSync(rig.directory, 0o755);
      mkdirSync(join(rig.directory, 'closed'), { mode: 0o700 });
    },
    words: (rig) => replaced(usual(rig), '--source', join(rig.directory, 'closed')),
    options: (rig) => ({ uid: NOBODY, env: credentialsOf(rig.server) }),
  },
  {
    name: 'a state directory without permission',
    exit: 'config',
    says: /state directory/,
    needsRoot: true,
    prepare: (rig) => {
      chmodSync(rig.directory, 0o755);
      mkdirSync(rig.state, { mode: 0o700 });
    },
    words: usual,
    options: (rig) => ({ uid: NOBODY, env: credentialsOf(rig.server) }),
  },
  {
    name: 'a bucket that does not exist',
    exit: 'store',
    says: /no-such-bucket/,
    words: (rig) => replaced(usual(rig), '--to', 's3://no-such-bucket'),
  },
  {
    name: 'a bucket that denies',
    exit: 'store',
    says: /denied|AccessDenied|may not/i,
    prepare: (rig) => rig.server.deny(['list', 'put']),
    words: usual,
  },
  {
    name: 'a wrong secret',
    exit: 'store',
    says: /SignatureDoesNotMatch|signature|secret/i,
    words: usual,
    options: (rig) => ({ env: { ...credentialsOf(rig.server), AWS_SECRET_ACCESS_KEY: 'wrong' } }),
  },
  {
    name: 'no credentials at all',
    exit: 'store',
    says: /credentials/i,
    words: usual,
    options: () => ({ env: { AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' } }),
  },
  {
    name: 'a wrong region',
    exit: 'store',
    says: /region.*us-east-1|us-east-1.*region/i,
    words: (rig) => [...usual(rig), '--region', 'eu-west-3'],
  },
  {
    name: 'an endpoint whose port is closed, in one pass',
    waits: true,
    exit: 'store',
    says: /ECONNREFUSED|refused|reached/i,
    words: async (rig) => [
      ...replaced(usual(rig), '--endpoint', `http://127.0.0.1:${await closedPort()}`),
      '--once',
    ],
  },
  {
    name: 'an endpoint whose host is unknown, in one pass',
    waits: true,
    exit: 'store',
    says: /ENOTFOUND|EAI_AGAIN|name|host/i,
    words: (rig) => [...replaced(usual(rig), '--endpoint', 'http://no-such-host.invalid'), '--once'],
  },
  {
    name: 'an unknown flag',
    exit: 'config',
    says: /--retentoin.*--retention/s,
    words: (rig) => [...usual(rig), '--retentoin', '1h'],
  },
  {
    name: 'a prefix that climbs',
    exit: 'config',
    says: /\.\./,
    words: (rig) => replaced(usual(rig), '--to', `s3://${rig.server.bucket}/a/../b`),
  },
  {
    name: 'a key template without the path',
    exit: 'config',
    says: /\{path\}/,
    words: (rig) => [...usual(rig), '--key', 'dt={date}'],
  },
];

for (const mistake of MISTAKES.filter(({ waits }) => !waits)) makes(mistake);
suite('what may come back is waited for', { concurrency: true }, () => {
  for (const mistake of MISTAKES.filter(({ waits }) => waits)) makes(mistake);
});

function makes(mistake: Mistake): void {
  test(`${mistake.name}: one clear message, no stack, exit code ${EXIT[mistake.exit]} (${mistake.exit}), soon`, async (t) => {
    if (mistake.needsRoot && process.getuid?.() !== 0) return t.skip('needs root to run as another user');
    const rig = await createRig(t);
    rig.write('file');
    mistake.prepare?.(rig);
    const startedMs = performance.now();
    const options = mistake.options?.(rig) ?? { env: credentialsOf(rig.server) };
    const run = spawnFerry(t, ['files', ...(await mistake.words(rig))], { cwd: rig.directory, ...options });
    const timer = setTimeout(() => run.child.kill('SIGKILL'), DEADLINE_MS);
    const { exit, stderr } = await run.ended;
    clearTimeout(timer);
    assert.equal(exit, EXIT[mistake.exit], stderr.slice(0, 600));
    assert.match(stderr, mistake.says);
    assert.doesNotMatch(stderr, /\n\s+at |node:internal|\[object/);
    assert.match(stderr, /^ferry: /);
    assert.ok(stderr.length < 1_200, `${stderr.length} characters are no clear message`);
    assert.ok(performance.now() - startedMs < DEADLINE_MS);
    assert.equal(rig.server.objects.size, 0);
  });
}
