// The events of a target, read from the final YAML: on time, never twice at once, resumable, with no more than it needs.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { EXIT } from '../../app/core/errors.ts';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { backfillSpec, eventsSpec } from '../../app/events/settings/flags.ts';
import { parseEventsFile } from '../../app/events/settings/read.ts';
import { eventsAlert } from '../../manifests/events/monitoring.ts';
import { tempDir } from '../support/temp.ts';
import { at, deliveredTarget, LEAST, list, ROOT, settingsFile, synthesized, targetFrom } from './targets.ts';

const BUCKETS = { aws: LEAST.aws.bucket, 'in-cluster': LEAST['in-cluster'].bucket };
const ROLE = 'arn:aws:iam::111122223333:role/ferry-events';
const run = promisify(execFile);

type Lines = Readonly<Record<string, string | undefined>>;

/** A settings file of `ferry events` that fits the target. */
function eventsFile(s3: keyof typeof LEAST, more: Lines = {}): string {
  const lines = {
    url: 'https://api.example.com/v1',
    s3_bucket: BUCKETS[s3],
    s3_key: 'events',
    events: '[charge, refund, dispute]',
    ...(s3 === 'in-cluster' ? { s3: '{ path_style: true }' } : {}),
    ...more,
  };
  return Object.entries(lines)
    .map(([name, value]) => (value === undefined ? '' : `${name}: ${value}\n`))
    .join('');
}

/** A target with events; `undefined` leaves a line out. */
function made(s3: keyof typeof LEAST, values: Lines = {}, file: Lines = {}, ferry: Lines = {}) {
  const events = {
    settings: 'events.yaml',
    ...(s3 === 'aws' ? { 'role-arn': ROLE } : {}),
    ...values,
  };
  const lines = Object.entries(events).map(([name, value]) =>
    value === undefined ? '' : `  ferry-events:${name}: ${value}\n`,
  );
  const content = `${settingsFile({ ...LEAST[s3], prefix: 'site-1', ...ferry })}${lines.join('')}`;
  return targetFrom('test', content, () => eventsFile(s3, file));
}

function flagsOf(args: unknown): Map<string, string> {
  return new Map(
    list(args)
      .map((word) => /^--([a-z-]+)=(.*)$/s.exec(String(word)))
      .flatMap((match): [string, string][] => (match ? [[match[1] ?? '', match[2] ?? '']] : [])),
  );
}

test('a CronJob at 07:00 UTC, one at a time, with hours to start late, resumed where its volume is', async () => {
  const { get } = await synthesized(made('aws'));
  const spec = (...path: (string | number)[]) => get('CronJob', 'ferry-events', 'spec', ...path);
  assert.deepEqual(
    [spec('schedule'), spec('timeZone'), spec('concurrencyPolicy')],
    ['0 7 * * *', 'Etc/UTC', 'Forbid'],
  );
  assert.ok(Number(spec('startingDeadlineSeconds')) >= 3_600);
  const pod = (...path: (string | number)[]) => spec('jobTemplate', 'spec', 'template', 'spec', ...path);
  assert.equal(pod('restartPolicy'), 'OnFailure');
  const args = pod('containers', 0, 'args');
  assert.equal(at(args, [0]), 'events');
  const flags = loadSettings(eventsSpec, { flags: flagsOf(args), env: {} });
  assert.equal(flags.config, '/etc/ferry/events.yaml');
  assert.equal(
    get('ServiceAccount', 'ferry-events', 'metadata', 'annotations', 'eks.amazonaws.com/role-arn'),
    ROLE,
  );
  // What the pod reads is what `ferry events` takes; its relative paths lie on the volume.
  const text = String(get('ConfigMap', 'ferry-events', 'data', 'events.yaml'));
  const settings = parseEventsFile('events.yaml', text, String(pod('containers', 0, 'workingDir')));
  assert.ok(settings.state.startsWith(String(pod('containers', 0, 'volumeMounts', 1, 'mountPath'))));
});

test('no privileges, caps on everything, the key from a Secret alone', async () => {
  for (const target of [made('in-cluster'), made('aws', { from: '2026-01-01', to: '2026-01-31' })]) {
    const { documents, files } = await synthesized(target);
    assert.deepEqual(Object.keys(Object.fromEntries(files)).at(-1), '4-events.yaml');
    const pods = documents.flatMap((document) =>
      at(document, ['kind']) === 'CronJob'
        ? [at(document, ['spec', 'jobTemplate', 'spec', 'template', 'spec'])]
        : at(document, ['kind']) === 'Job'
          ? [at(document, ['spec', 'template', 'spec'])]
          : [],
    );
    assert.ok(pods.length >= 1);
    for (const pod of pods) {
      assert.equal(at(pod, ['automountServiceAccountToken']), false);
      assert.equal(at(pod, ['securityContext', 'runAsNonRoot']), true);
      const container = at(pod, ['containers', 0]);
      assert.equal(at(container, ['securityContext', 'readOnlyRootFilesystem']), true);
      assert.deepEqual(at(container, ['securityContext', 'capabilities']), { drop: ['ALL'] });
      for (const name of ['cpu', 'memory', 'ephemeral-storage'])
        assert.ok(at(container, ['resources', 'limits', name]), name);
      assert.deepEqual(at(container, ['env', 0]), {
        name: 'API_KEY',
        valueFrom: { secretKeyRef: { name: 'ferry-events', key: 'API_KEY' } },
      });
    }
    assert.doesNotMatch([...files.values()].join(), /value: .*key/i);
  }
});

test('a backfill is an Indexed Job, an index for each type, that tells what to try again from what not', async () => {
  const { get } = await synthesized(made('in-cluster', { from: '2026-01-01', to: '2026-06-30' }));
  const spec = (...path: (string | number)[]) =>
    get('Job', 'ferry-events-2026-01-01-2026-06-30', 'spec', ...path);
  assert.deepEqual([spec('completionMode'), spec('completions')], ['Indexed', 3]);
  assert.ok(Number(spec('backoffLimitPerIndex')) > 0);
  assert.equal(spec('template', 'spec', 'restartPolicy'), 'Never');
  const rules = list(spec('podFailurePolicy', 'rules')).map((rule) => [
    at(rule, ['action']),
    at(rule, ['onExitCodes', 'values']),
  ]);
  assert.deepEqual(rules, [
    ['Ignore', undefined],
    ['FailJob', [EXIT.config]],
    ['FailIndex', [EXIT.internal, EXIT.data]],
  ]);
  const args = flagsOf(spec('template', 'spec', 'containers', 0, 'args'));
  assert.equal(args.get('type-index'), '$(JOB_COMPLETION_INDEX)');
  const flags = loadSettings(backfillSpec, { flags: new Map([...args, ['type-index', '2']]), env: {} });
  assert.deepEqual([flags.from, flags.to, flags.typeIndex], ['2026-01-01', '2026-06-30', 2]);
});

test('the pods reach names, the API and the store, and nothing reaches them', async () => {
  const { get } = await synthesized(made('in-cluster', { egress: '203.0.113.0/24' }));
  const spec = (...path: (string | number)[]) => get('NetworkPolicy', 'ferry-events', 'spec', ...path);
  assert.equal(spec('ingress'), undefined);
  assert.deepEqual(spec('egress', 1), {
    to: [{ ipBlock: { cidr: '203.0.113.0/24' } }],
    ports: [{ protocol: 'TCP', port: 443 }],
  });
  assert.equal(list(spec('egress')).length, 3);
  const sample = await synthesized(made('in-cluster', {}, { url: 'http://10.0.0.1:8377/events' }));
  const ports = sample.get('NetworkPolicy', 'ferry-events', 'spec', 'egress', 1, 'ports');
  assert.deepEqual(ports, [{ protocol: 'TCP', port: 8_377 }]);
  const selects = spec('podSelector', 'matchLabels');
  assert.deepEqual(
    get('NetworkPolicy', 'ferry-events-to-s3', 'spec', 'ingress', 0, 'from', 0, 'podSelector', 'matchLabels'),
    selects,
  );
});

test('the pods are told the region, the endpoint and the credentials of their target', async () => {
  const variables = async (target: ReturnType<typeof made>) => {
    const { get } = await synthesized(target);
    const pod = (...path: (string | number)[]) =>
      get('CronJob', 'ferry-events', 'spec', 'jobTemplate', 'spec', 'template', 'spec', ...path);
    const entries = list(pod('containers', 0, 'env')).map((one) => [at(one, ['name']), at(one, ['value'])]);
    return {
      env: Object.fromEntries(entries),
      volumes: list(pod('volumes')).map((one) => at(one, ['name'])),
    };
  };
  const inCluster = await variables(made('in-cluster'));
  assert.equal(inCluster.env.AWS_ENDPOINT_URL_S3, 'http://ferry-s3.ferry.svc:7070');
  assert.ok('AWS_SECRET_ACCESS_KEY' in inCluster.env);
  const endpoint = 'https://bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com';
  const onAws = await variables(made('aws', {}, {}, { region: 'eu-central-1', endpoint }));
  assert.deepEqual(onAws.env, {
    API_KEY: undefined,
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: endpoint,
  });
  assert.deepEqual(onAws.volumes, ['config', 'state']);
  const projected = await variables(made('aws', {}, {}, { 'web-identity': 'projected' }));
  assert.equal(projected.env.AWS_ROLE_ARN, ROLE);
  assert.deepEqual(projected.volumes, ['config', 'state', 'sts-token']);
  const open = await variables(made('in-cluster', {}, { api: '{ auth: none }' }));
  assert.equal('API_KEY' in open.env, false);
});

test('a target that is watched has its runs scraped, and an alert when none ended well for a day', async () => {
  const { get } = await synthesized(made('aws', {}, {}, { monitoring: 'true' }));
  const port = get(
    'CronJob',
    'ferry-events',
    'spec',
    'jobTemplate',
    'spec',
    'template',
    'spec',
    'containers',
    0,
    'ports',
    0,
  );
  assert.deepEqual(port, { name: 'metrics', containerPort: 9_464 });
  assert.equal(get('PodMonitor', 'ferry-events', 'spec', 'podMetricsEndpoints', 0, 'port'), 'metrics');
  const selects = get('PodMonitor', 'ferry-events', 'spec', 'selector', 'matchLabels');
  assert.deepEqual(selects, get('NetworkPolicy', 'ferry-events', 'spec', 'podSelector', 'matchLabels'));
  assert.equal(list(get('NetworkPolicy', 'ferry-events', 'spec', 'ingress')).length, 1);
  const rule = (...path: string[]) =>
    get('PrometheusRule', 'ferry-events', 'spec', 'groups', 0, 'rules', 0, ...path);
  assert.match(String(rule('expr')), / > 93600$/);
  const [page = '', heading = ''] = String(rule('annotations', 'runbook')).split('#');
  assert.match(readFileSync(join(ROOT, page), 'utf8'), new RegExp(`^## ${heading}$`, 'im'));
  const weekly = await synthesized(
    made('aws', { schedule: '0 7 * * 1' }, { lookback: '9' }, { monitoring: 'true' }),
  );
  const late = weekly.get('PrometheusRule', 'ferry-events', 'spec', 'groups', 0, 'rules', 0, 'expr');
  assert.match(String(late), new RegExp(` > ${9 * 86_400}$`));
});

test('the alert is raised by a day without a run that ended well, and by a first run that never did', async (t) => {
  if (spawnSync('promtool', ['--version']).status !== 0) return t.skip('needs promtool');
  const directory = await tempDir(t);
  const {
    alert,
    expr,
    for: lasting,
  } = eventsAlert({ namespace: 'n', schedule: '0 7 * * *', lookbackDays: 7 });
  const rules = [{ alert, expr, for: lasting }];
  writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: [{ name: 'events', rules }] }));
  const raised = (hour: number, value: number) => ({
    expr: 'count(ALERTS{alertstate="firing"}) or vector(0)',
    eval_time: `${hour}h`,
    exp_samples: [{ labels: '{}', value }],
  });
  const of = '{namespace="n",cronjob="ferry-events"}';
  const created = { series: `kube_cronjob_created${of}`, values: '0x4000' };
  // Minute by minute: a run ends well at hours 7 and 31, and then none does.
  const ended = {
    series: `kube_cronjob_status_last_successful_time${of}`,
    values: '_x420 25200x1439 111600x2100',
  };
  const tests = [
    {
      interval: '1m',
      input_series: [created, ended],
      promql_expr_test: [raised(20, 0), raised(56, 0), raised(59, 1)],
    },
    { interval: '1m', input_series: [created], promql_expr_test: [raised(25, 0), raised(28, 1)] },
  ];
  const file = join(directory, 'tests.yaml');
  writeFileSync(file, stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }));
  await run('promtool', ['test', 'rules', file]);
});

test('a target without events makes nothing; wrong keys are told with their line', () => {
  const least = settingsFile(LEAST.aws);
  const read = (content: string) => targetFrom('test', content, () => eventsFile('aws'));
  assert.equal(read(least).charts.has('4-events'), false);
  assert.throws(
    () => read(`${least}  ferry-events:setings: a\n`),
    /Pulumi\.test\.yaml:7:3 .*did you mean settings\?/,
  );
  assert.throws(
    () => made('in-cluster', { from: '2026-02-01', to: '2026-01-01' }),
    /the first not after the last/,
  );
  assert.throws(() => made('in-cluster', { from: '2026-02-01' }), /two days of a backfill/);
  assert.throws(() => made('in-cluster', { from: '2026-02-01', to: '2026-02-31' }), /"2026-02-31" is wrong/);
});

test('pods, role and bucket are about one place, or nothing is made and every reason is told', () => {
  const other = 'arn:aws:iam::444455556666:role/ferry-events';
  for (const [target, reason] of [
    [() => made('aws', { 'role-arn': undefined }), /role-arn is absent: without a role/],
    [() => made('aws', { 'role-arn': LEAST.aws['role-arn'] }), /is another role of this target/],
    [() => made('aws', { 'role-arn': other }), /is of another account/],
    [() => made('aws', { 'role-arn': `${ROLE}${'x'.repeat(60)}` }), /has 72 characters/],
    [() => made('aws', {}, { s3_bucket: 'elsewhere' }), /s3_bucket is elsewhere, and ferry:bucket is/],
    [() => made('aws', {}, { s3_key: undefined }), /s3_key is absent/],
    [() => made('aws', {}, { s3_key: 'site-1/events' }), /neither may lie in the other/],
    [() => made('aws', {}, {}, { prefix: 'events/x' }), /neither may lie in the other/],
    [() => made('aws', {}, {}, { prefix: undefined }), /absent \(the whole bucket\)/],
    [() => made('aws', {}, { s3: '{ region: eu-west-1 }' }), /s3\.region is eu-west-1/],
    [() => made('aws', {}, { s3: '{ may_read: true }' }), /the role that is made cannot read/],
    [() => made('in-cluster', { 'role-arn': ROLE }), /there are no roles/],
    [() => made('in-cluster', {}, { s3: undefined }), /path_style: true/],
    [() => made('aws', {}, { events: '[charge, charge]' }), /events\.yaml:4:18 .*is named twice/],
  ] as const)
    assert.throws(target, reason);
  const both = () => made('aws', { 'role-arn': undefined }, { s3_bucket: 'elsewhere' });
  assert.throws(both, (error) => /role-arn/.test(String(error)) && /s3_bucket/.test(String(error)));
  // Beside each other, though one name starts with the other.
  made('aws', {}, { s3_key: 'site-10' });
});

test('npm run synth writes the events of the target that turns them on, and of no other', async (t) => {
  const directory = await tempDir(t);
  const out = join(directory, 'dist');
  const flags = ['--settings', directory, '--out', out, '--keys', join(directory, 'keys')];
  writeFileSync(join(directory, 'events.yaml'), eventsFile('in-cluster'));
  const least = settingsFile({ ...LEAST['in-cluster'], prefix: 'site-1' });
  writeFileSync(join(directory, 'Pulumi.a.yaml'), least);
  writeFileSync(join(directory, 'Pulumi.b.yaml'), `${least}  ferry-events:settings: events.yaml\n`);
  await run(process.execPath, [join(ROOT, 'manifests/main.ts'), ...flags]);
  const [a, b] = ['a', 'b'].map((name) => readdirSync(join(out, name)));
  assert.deepEqual([a?.includes('4-events.yaml'), b?.includes('4-events.yaml')], [false, true]);
  writeFileSync(join(directory, 'Pulumi.b.yaml'), `${least}  ferry-events:settings: lost.yaml\n`);
  await assert.rejects(run(process.execPath, [join(ROOT, 'manifests/main.ts'), ...flags]), (error) => {
    assert.match(String(Reflect.get(Object(error), 'stderr')), /lost\.yaml does not exist/);
    return true;
  });
});

test('the delivered staging target turns events on; minikube, which has no API, does not', () => {
  assert.deepEqual(
    (['staging', 'minikube'] as const).map((name) => deliveredTarget(name).charts.has('4-events')),
    [true, false],
  );
});
