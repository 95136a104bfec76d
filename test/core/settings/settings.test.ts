import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as z from 'zod';
import { EXIT, FerryError } from '../../../app/core/errors.ts';
import { text, toggle } from '../../../app/core/settings/fields.ts';
import {
  fieldsOf,
  loadSettings,
  resolveSettings,
  type SettingsInput,
} from '../../../app/core/settings/settings.ts';
import { resolutionJson, resolutionText } from '../../../app/core/settings/table.ts';
import { filesSpec } from '../../../app/files/settings.ts';
import { SAMPLES } from '../../files/settings-samples.ts';

const REQUIRED = new Map<string, string>([
  ['source', '/data'],
  ['to', 's3://bucket/prefix'],
]);

/** Resolves the files mover's settings from what a test writes; the file is always called ferry.yaml. */
function resolve(written: {
  flags?: Iterable<readonly [string, string | boolean | null]>;
  rest?: readonly string[];
  env?: Record<string, string>;
  yaml?: string;
}) {
  const env = { ...(written.yaml === undefined ? {} : { FERRY_CONFIG: 'ferry.yaml' }), ...written.env };
  const input: SettingsInput = {
    flags: new Map(written.flags ?? REQUIRED),
    rest: written.rest ?? [],
    env,
    readText: () => written.yaml ?? '',
  };
  return resolveSettings(filesSpec, input);
}

test('flags win over variables, these over the file, this over defaults: for every setting and any mixture', () => {
  const fields = fieldsOf(filesSpec);
  const perField = fields.map(({ field }) => {
    // The samples have exactly the schema's fields, which their type makes sure of.
    const sample = fc.option(fc.constantFrom(...SAMPLES[field as keyof typeof SAMPLES]), { nil: undefined });
    return fc.record({ flag: sample, env: sample, file: sample });
  });
  fc.assert(
    fc.property(fc.tuple(...perField), (choices) => {
      const flags: [string, string | boolean][] = [];
      const env: Record<string, string> = {};
      const yaml = ['# ferry', 'files:'];
      const expected = fields.map(({ schema, name, variable, info }, index) => {
        const { flag, env: fromEnv, file } = choices[index] ?? {};
        if (flag !== undefined) flags.push([name, info.kind === 'switch' ? flag === 'true' : flag]);
        if (fromEnv !== undefined) env[variable] = fromEnv;
        if (file !== undefined) yaml.push(`  ${name}: ${JSON.stringify(file)}`);
        const chosen = flag ?? fromEnv ?? file ?? info.default;
        const flagName = info.kind === 'switch' && flag === 'false' ? `--no-${name}` : `--${name}`;
        const origin =
          flag !== undefined
            ? { kind: 'flag', flag: flagName }
            : fromEnv !== undefined
              ? { kind: 'env', variable }
              : file !== undefined
                ? { kind: 'file', file: 'ferry.yaml', line: yaml.length, column: 5 + name.length }
                : { kind: 'default' };
        const parsed = schema.safeParse(chosen);
        return { name, origin, value: parsed.success && !info.secret ? parsed.data : undefined };
      });
      const { settings } = resolve({ flags, env, yaml: `${yaml.join('\n')}\n` });
      assert.deepEqual(
        settings.map(({ name, origin, value }) => ({ name, origin, value })),
        expected,
      );
    }),
    { numRuns: 150 },
  );
});

test('every mistake in every source is told at once, each with its place, value, expectation and remedy', () => {
  const yaml = [
    'files:',
    '  retenton: 24h',
    '  settle: "soon"',
    '  concurrency: 0',
    '  keep: yes',
    '  drain: [1, 2]',
    '  region:',
    'filse:',
    '  keep: true',
  ].join('\n');
  const { problems, values } = resolve({
    flags: [
      ['to', 's3://bucket/../other'],
      ['request-timeout', null],
      ['walk-every', '30d'],
    ],
    rest: ['--sorce', '/data', '--volum-limit=2Gi'],
    env: { FERRY_RETENTON: '1h', FERRY_VOLUME_LIMIT: '2 gigs', FERRY_REGION: '', PATH: '/bin' },
    yaml,
  });
  assert.equal(values, undefined);
  assert.deepEqual(
    problems.map(({ where, value }) => (value === undefined ? where : `${where}=${value}`)),
    [
      '--request-timeout',
      '--sorce',
      '--volum-limit',
      'FERRY_RETENTON',
      'ferry.yaml:2:3',
      'ferry.yaml:6:10',
      'ferry.yaml:7:10',
      'ferry.yaml:8:1',
      '--source',
      '--to=s3://bucket/../other',
      'ferry.yaml:3:11 settle=soon',
      'ferry.yaml:5:9 keep=yes',
      'FERRY_VOLUME_LIMIT=2 gigs',
      'FERRY_REGION=',
      'ferry.yaml:4:16 concurrency=0',
      '--walk-every=30d',
    ],
  );
  for (const problem of problems) {
    assert.notEqual(problem.wrong, '', problem.where);
    assert.notEqual(problem.expected, '', problem.where);
    assert.notEqual(problem.remedy, '', problem.where);
  }
  const wrongValue = problems.find(({ where }) => where === 'ferry.yaml:3:11 settle');
  assert.deepEqual(wrongValue, {
    where: 'ferry.yaml:3:11 settle',
    value: 'soon',
    wrong: 'is no duration',
    expected: 'a duration (ms, s, m, h or d), e.g. 5s',
    remedy: 'for instance write "settle: 5s" in line 3',
  });
});

test('an unknown name is refused in every source, with the name that was probably meant', () => {
  const hint = (written: Parameters<typeof resolve>[0]) => {
    const { problems } = resolve(written);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    return `${problems[0]?.where} ${problems[0]?.wrong}: ${problems[0]?.expected}`;
  };
  assert.equal(hint({ rest: ['--setle', '5s'] }), '--setle is an unknown flag: did you mean --settle?');
  assert.equal(
    hint({ env: { FERRY_SETLE: '5s' } }),
    'FERRY_SETLE is an unknown variable: did you mean FERRY_SETTLE?',
  );
  assert.equal(
    hint({ yaml: 'files:\n  setle: 5s\n' }),
    'ferry.yaml:2:3 unknown key "setle": did you mean settle?',
  );
  assert.equal(
    hint({ yaml: 'settle: 5s\n' }),
    'ferry.yaml:1:1 unknown section "settle": did you mean files: settle?',
  );
  assert.equal(
    hint({ env: { FERRY_BOGUS: '1' } }),
    'FERRY_BOGUS is an unknown variable: a known name',
    'nothing is near, though all begin alike',
  );
  assert.equal(hint({ rest: ['--xyzzyxyzzy'] }), '--xyzzyxyzzy is an unknown flag: a known name');
});

test('variables that Kubernetes sets for a Service called ferry are no settings', () => {
  const env = {
    FERRY_SERVICE_HOST: '10.0.0.1',
    FERRY_SERVICE_PORT: '80',
    FERRY_SERVICE_PORT_HTTP: '80',
    FERRY_PORT: 'tcp://10.0.0.1:80',
    FERRY_METRICS_PORT_9464_TCP_ADDR: '10.0.0.1',
    FERRY_METRICS_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
  };
  assert.deepEqual(resolve({ env }).problems, []);
  assert.equal(resolve({ env: { FERRY_PORT: '80' } }).problems.length, 1);
});

test('a file that cannot be read or is no YAML is one problem, not a trail of settings that seem missing', () => {
  const broken = resolve({ flags: [], yaml: 'files:\n  source: "/data\n' });
  assert.deepEqual(
    broken.problems.map(({ where }) => where.replace(/:\d+$/, '')),
    ['ferry.yaml:3'],
  );
  const input = { flags: new Map([['config', 'no-such.yaml']]), env: {} };
  const [absent, ...others] = resolveSettings(filesSpec, input).problems;
  assert.deepEqual(others, []);
  assert.equal(`${absent?.where} ${absent?.value} ${absent?.wrong}`, '--config no-such.yaml does not exist');
  assert.deepEqual(resolve({ yaml: '' }).problems, [], 'an empty file says nothing');
  assert.deepEqual(resolve({ yaml: 'files:\n' }).problems, [], 'nor does an empty section');
  assert.equal(resolve({ yaml: 'files: 5\n' }).problems.length, 1);
  assert.equal(resolve({ yaml: '- files\n' }).problems.length, 1);
  assert.equal(resolve({ yaml: 'files:\n  keep: true\n  keep: false\n' }).problems.length, 1, 'a key twice');
});

test('--config wins over FERRY_CONFIG', () => {
  const read: string[] = [];
  const readText = (path: string) => {
    read.push(path);
    return 'files: { settle: 7s }';
  };
  const flags = new Map([...REQUIRED, ['config', 'flag.yaml'] as const]);
  assert.equal(
    loadSettings(filesSpec, { flags, env: { FERRY_CONFIG: 'env.yaml' }, readText }).settleMs,
    7_000,
  );
  assert.deepEqual(read, ['flag.yaml']);
});

test('a wrong value is refused even where another source wins over it', () => {
  const { problems } = resolve({ flags: [...REQUIRED, ['settle', '5s']], env: { FERRY_SETTLE: 'soon' } });
  assert.deepEqual(
    problems.map(({ where }) => where),
    ['FERRY_SETTLE'],
  );
});

test('secrets show up nowhere: not in errors, tables or JSON', () => {
  const group = 'Test';
  const schema = z.object({
    apiKey: text({ group, what: 'Key', example: 'sk_…', secret: true }, 'KEY', 'a key', /^sk_/),
    once: toggle({ group, what: 'Once', default: 'false' }),
  });
  const spec = { section: 'events', schema };
  const wrong = resolveSettings(spec, { flags: new Map(), env: { FERRY_API_KEY: 'hunter2' } });
  const right = resolveSettings(spec, { flags: new Map(), env: { FERRY_API_KEY: 'sk_hunter2' } });
  const endpoint = resolve({ flags: [...REQUIRED, ['endpoint', 'https://user:hunter2@s3.example.com']] });
  const bad = resolve({ flags: [...REQUIRED, ['endpoint', 'https://user:hunter2@s3.example.com?q']] });
  const env = { AWS_SECRET_ACCESS_KEY: 'hunter2', HTTPS_PROXY: 'http://me:hunter2@proxy' };
  assert.equal(wrong.problems.length, 1);
  assert.equal(bad.problems.length, 1);
  assert.equal(right.values?.apiKey, 'sk_hunter2');
  assert.equal(endpoint.values?.endpoint, 'https://user:hunter2@s3.example.com');
  for (const resolution of [wrong, right, endpoint, bad]) {
    const shown = resolutionText(resolution, env) + resolutionJson(resolution, env);
    assert.doesNotMatch(shown, /hunter2/);
    assert.match(shown, /\*\*\*/);
    assert.match(shown, /AWS_SECRET_ACCESS_KEY +found in environment/);
    assert.match(shown, /HTTPS_PROXY +found in environment/);
  }
});

test('loading settings that are wrong throws one error for people, with the exit code for it', () => {
  const load = () => loadSettings(filesSpec, { flags: new Map(), env: {} });
  assert.throws(load, (error) => {
    assert.ok(error instanceof FerryError);
    assert.equal(EXIT[error.exit], 2);
    assert.match(error.message, /^2 settings are wrong, nothing was done:\n\n {2}--source is missing/);
    return true;
  });
});

test('the settings file may use what YAML offers for one value, and numbers keep their spelling', () => {
  const yaml =
    "files:\n  high-watermark: 0.850\n  key: '{path}'\n  listen: 0.0.0.0:9464 # all\n  retention: 0\n";
  const { values, settings, problems } = resolve({ yaml });
  assert.deepEqual(problems, []);
  assert.equal(values?.highWatermark, 0.85);
  assert.equal(values?.listen, '0.0.0.0:9464');
  assert.equal(values?.retentionMs, 0);
  assert.equal(settings.find(({ name }) => name === 'high-watermark')?.shown, '0.850');
});
