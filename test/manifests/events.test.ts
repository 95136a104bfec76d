// The events of a target, read from the final YAML: on time, never twice at once, resumable, with no more than it needs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { EXIT } from '../../app/core/errors.ts';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { backfillSpec, eventsSpec } from '../../app/events/settings/flags.ts';
import { parseEventsFile } from '../../app/events/settings/read.ts';
import { eventsTarget } from '../../manifests/events/target.ts';
import { tempDir } from '../support/temp.ts';
import { at, LEAST, list, ROOT, settingsFile, synthesized } from './targets.ts';

const FILE = 'url: https://api.example.com/v1\ns3_bucket: demo\nevents: [charge, refund, dispute]\n';
const ROLE = 'arn:aws:iam::111122223333:role/ferry-events';
const run = promisify(execFile);

function made(s3: keyof typeof LEAST, values: Readonly<Record<string, string>> = {}) {
  const lines = Object.entries(values).map(([name, value]) => `  ferry-events:${name}: ${value}\n`);
  const content = `${settingsFile(LEAST[s3])}  ferry-events:settings: events.yaml\n${lines.join('')}`;
  const target = eventsTarget('test', 'Pulumi.test.yaml', content, () => FILE);
  assert.ok(target);
  return target;
}

function flagsOf(args: unknown): Map<string, string> {
  return new Map(
    list(args)
      .map((word) => /^--([a-z-]+)=(.*)$/s.exec(String(word)))
      .flatMap((match): [string, string][] => (match ? [[match[1] ?? '', match[2] ?? '']] : [])),
  );
}

test('a CronJob at 07:00 UTC, one at a time, with hours to start late, resumed where its volume is', async () => {
  const { get } = await synthesized(made('aws', { 'role-arn': ROLE }));
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
  for (const target of [
    made('in-cluster'),
    made('aws', { 'role-arn': ROLE, from: '2026-01-01', to: '2026-01-31' }),
  ]) {
    const { documents, files } = await synthesized(target);
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
  const selects = spec('podSelector', 'matchLabels');
  assert.deepEqual(
    get('NetworkPolicy', 'ferry-events-to-s3', 'spec', 'ingress', 0, 'from', 0, 'podSelector', 'matchLabels'),
    selects,
  );
});

test('a target without events makes nothing; wrong keys are told with their line', () => {
  const least = settingsFile(LEAST.aws);
  const read = (content: string) => eventsTarget('test', 'Pulumi.test.yaml', content, () => FILE);
  assert.equal(read(least), undefined);
  assert.throws(
    () => read(`${least}  ferry-events:setings: a\n`),
    /Pulumi\.test\.yaml:7:3 .*did you mean settings\?/,
  );
  assert.throws(() => made('aws'), /have no credentials/);
  assert.throws(
    () => made('in-cluster', { from: '2026-02-01', to: '2026-01-01' }),
    /the first not after the last/,
  );
  assert.throws(() => made('in-cluster', { from: '2026-02-01' }), /two days of a backfill/);
});

test('the command writes a folder of its own, and says what turns it on', async (t) => {
  const directory = await tempDir(t);
  const command = [
    join(ROOT, 'manifests/events/main.ts'),
    '--settings',
    directory,
    '--out',
    join(directory, 'dist'),
  ];
  writeFileSync(join(directory, 'events.yaml'), FILE);
  writeFileSync(join(directory, 'Pulumi.a.yaml'), settingsFile(LEAST['in-cluster']));
  writeFileSync(
    join(directory, 'Pulumi.b.yaml'),
    `${settingsFile(LEAST['in-cluster'])}  ferry-events:settings: events.yaml\n`,
  );
  const { stdout } = await run(process.execPath, command);
  assert.match(stdout, /Pulumi\.a\.yaml turns no events on/);
  assert.match(stdout, /dist\/b-events\/4-events\.yaml/);
});
