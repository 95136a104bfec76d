// What the YAML of each target says, read from the text; that it comes out the same each time; and that a refused target
// leaves the files of the last time alone.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { METRICS } from '../../app/files/metrics-table.ts';
import { filesSpec } from '../../app/files/settings.ts';
import { RECEIPTS_STATE_BYTES, stateRowBytes } from '../../app/plan/measured.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { byteQuantity } from '../../manifests/quantities.ts';
import { planInputsOf } from '../../manifests/settings/settings.ts';
import { podValues } from '../../manifests/values.ts';
import { tempDir } from '../support/temp.ts';
import { at, deliveredTarget, list, podsOf, ROOT, synthesized, targetOf } from './targets.ts';

const POD = ['spec', 'template', 'spec'] as const;
const UPLOADER = [...POD, 'initContainers', 0] as const;
const WRITER = [...POD, 'containers', 0] as const;
const run = promisify(execFile);

/** What `ferry files` makes of a container's arguments. */
function flagsOf(args: unknown) {
  const [command, ...flags] = list(args).map(String);
  assert.equal(command, 'files');
  const given = flags.map((flag): [string, string | boolean] => {
    const [, name = '', value] = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(flag) ?? [];
    return [name, value ?? true];
  });
  return loadSettings(filesSpec, { flags: new Map(given), env: {} });
}

test('every number of the pod is the plan’s', async () => {
  for (const name of ['minikube', 'staging'] as const) {
    const target = deliveredTarget(name);
    const plan = planCapacity(planInputsOf(target.settings));
    const { get } = await synthesized(target);
    const pod = (...path: (string | number)[]) => get('Deployment', 'file-writer', ...POD, ...path);
    assert.equal(pod('terminationGracePeriodSeconds'), plan.gracePeriodSeconds.value);
    assert.equal(pod('volumes', 0, 'emptyDir', 'sizeLimit'), byteQuantity(plan.sizeLimitBytes.value));
    assert.equal(pod('volumes', 1, 'emptyDir', 'sizeLimit'), byteQuantity(plan.stateSizeBytes.value));
    assert.deepEqual(pod('initContainers', 0, 'resources'), {
      requests: {
        cpu: `${plan.cpuRequestMillicores.value}m`,
        memory: byteQuantity(plan.memoryRequestBytes.value),
        'ephemeral-storage': byteQuantity(plan.uploaderEphemeralStorageLimitBytes.value),
      },
      limits: {
        cpu: `${plan.cpuLimitMillicores.value}m`,
        memory: byteQuantity(plan.memoryLimitBytes.value),
        'ephemeral-storage': byteQuantity(plan.uploaderEphemeralStorageLimitBytes.value),
      },
    });
    const flags = flagsOf(pod('initContainers', 0, 'args'));
    assert.equal(flags.volumeLimitBytes, plan.sizeLimitBytes.value);
    assert.equal(flags.drainMs, plan.drainSeconds.value * 1_000);
    assert.equal(flags.retentionMs, plan.inputs.retentionMs);
    assert.equal(flags.highWatermark, plan.inputs.highWatermark);
    assert.equal(flags.source, pod('containers', 0, 'volumeMounts', 0, 'mountPath'));
  }
});

test('each number’s arithmetic stands at the head of the file', async () => {
  const target = deliveredTarget('staging');
  const { files } = await synthesized(target);
  const text = files.get('2-writer.yaml') ?? '';
  for (const { why } of Object.values(target.values.figures))
    if (why !== target.values.figures.claimSize.why) assert.ok(text.includes(why), why);
});

test('the uploader is a native sidecar that starts first, is watched without S3 and ends last', async () => {
  for (const name of ['minikube', 'staging'] as const) {
    const { get } = await synthesized(deliveredTarget(name));
    const uploader = (...path: (string | number)[]) => get('Deployment', 'file-writer', ...UPLOADER, ...path);
    assert.equal(uploader('name'), 'ferry');
    assert.equal(uploader('restartPolicy'), 'Always');
    assert.equal(uploader('imagePullPolicy'), 'IfNotPresent');
    assert.equal(uploader('startupProbe', 'httpGet', 'path'), '/livez');
    assert.equal(uploader('livenessProbe', 'httpGet', 'path'), '/livez');
    assert.equal(uploader('readinessProbe', 'httpGet', 'path'), '/readyz');
    assert.deepEqual(uploader('ports'), [{ name: 'metrics', containerPort: 9_464 }]);
    assert.equal(get('Deployment', 'file-writer', 'spec', 'strategy', 'type'), 'Recreate');
    assert.equal(list(get('Deployment', 'file-writer', ...POD, 'initContainers')).length, 1);
    assert.equal(list(get('Deployment', 'file-writer', ...POD, 'containers')).length, 1);
  }
});

test('the containers’ disk limits together hold every volume on disk and their logs', async () => {
  for (const target of [
    deliveredTarget('minikube'),
    deliveredTarget('staging'),
    targetOf('in-cluster', { 'writer-notes': 'true', 'size-limit': '8Gi', 'state-size': '3Gi' }),
    targetOf('aws', { volume: 'memory' }),
    targetOf('aws', { volume: 'ephemeral' }),
  ])
    for (const { name, spec } of podsOf((await synthesized(target)).documents)) {
      const onDisk = list(at(spec, ['volumes'])).filter(
        (volume) => at(volume, ['emptyDir', 'medium']) === undefined,
      );
      const volumes = onDisk.map((volume) => mebibytes(at(volume, ['emptyDir', 'sizeLimit'])));
      const containers = [...list(at(spec, ['containers'])), ...list(at(spec, ['initContainers']))];
      const long = containers.filter((one) => at(one, ['name']) !== 'bucket');
      const limits = long.map((one) => mebibytes(at(one, ['resources', 'limits', 'ephemeral-storage'])));
      assert.ok(sum(limits) >= sum(volumes) + 32, `${target.name} ${name}: ${limits} against ${volumes}`);
    }
});

function mebibytes(quantity: unknown): number {
  if (quantity === undefined) return 0;
  const [, amount, unit] = /^(\d+)(Ki|Mi|Gi)$/.exec(String(quantity)) ?? assert.fail(String(quantity));
  return Number(amount) * (unit === 'Gi' ? 1_024 : unit === 'Ki' ? 1 / 1_024 : 1);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('a volume is an emptyDir, memory that the writer pays for, or a claim of the pod’s own', async () => {
  const volume = async (values: Record<string, string>) => {
    const { get } = await synthesized(targetOf('aws', values));
    const limit = get('Deployment', 'file-writer', ...WRITER, 'resources', 'limits', 'memory');
    return { volume: get('Deployment', 'file-writer', ...POD, 'volumes', 0), memory: mebibytes(limit) };
  };
  const small = { rate: '1', retention: '1h', outage: '1h' };
  const plan = planCapacity(planInputsOf(targetOf('aws', small).settings));
  const sizeLimit = byteQuantity(plan.sizeLimitBytes.value);
  assert.deepEqual(await volume(small), { volume: { name: 'data', emptyDir: { sizeLimit } }, memory: 256 });
  const memory = await volume({ ...small, volume: 'memory' });
  assert.deepEqual(memory.volume, { name: 'data', emptyDir: { medium: 'Memory', sizeLimit } });
  assert.ok(memory.memory > 256 + mebibytes(sizeLimit));
  const claim = await volume({ ...small, volume: 'ephemeral', 'volume-class': 'gp3' });
  assert.deepEqual(at(claim.volume, ['ephemeral', 'volumeClaimTemplate', 'spec']), {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'gp3',
    resources: { requests: { storage: byteQuantity(plan.fileSystemBytes.value) } },
  });
});

test('on AWS only the uploader gets the role’s token, and there is no S3 server', async () => {
  const { get, documents } = await synthesized(deliveredTarget('staging'));
  const role = 'arn:aws:iam::111122223333:role/ferry-staging';
  assert.equal(
    get('ServiceAccount', 'file-writer', 'metadata', 'annotations', 'eks.amazonaws.com/role-arn'),
    role,
  );
  const names = [...list(get('Deployment', 'file-writer', ...POD, 'containers'))].map((one) =>
    at(one, ['name']),
  );
  const skipped = ['spec', 'template', 'metadata', 'annotations', 'eks.amazonaws.com/skip-containers'];
  assert.equal(get('Deployment', 'file-writer', ...skipped), names.join(','));
  assert.equal(get('Deployment', 'file-writer', ...POD, 'serviceAccountName'), 'file-writer');
  assert.equal(documents.filter((document) => at(document, ['kind']) === 'Secret').length, 0);
  for (const path of [UPLOADER, WRITER])
    assert.match(String(get('Deployment', 'file-writer', ...path, 'image')), /@sha256:[0-9a-f]{64}$/);
});

test('a spill volume is a claim that outlives the pod, and only the uploader sees it', async () => {
  const { get } = await synthesized(targetOf('aws', { 'spill-size': '20Gi', 'spill-class': 'gp3' }));
  assert.deepEqual(get('PersistentVolumeClaim', 'file-writer-spill', 'spec'), {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'gp3',
    resources: { requests: { storage: '20Gi' } },
  });
  const volumes = list(get('Deployment', 'file-writer', ...POD, 'volumes'));
  const spill = volumes.find((volume) => at(volume, ['name']) === 'spill');
  assert.equal(at(spill, ['persistentVolumeClaim', 'claimName']), 'file-writer-spill');
  const mounts = (path: readonly (string | number)[]) =>
    list(get('Deployment', 'file-writer', ...path, 'volumeMounts'));
  const mount = mounts(UPLOADER).find((one) => at(one, ['name']) === 'spill');
  const flags = flagsOf(get('Deployment', 'file-writer', ...UPLOADER, 'args'));
  assert.equal(flags.spill, at(mount, ['mountPath']));
  assert.ok(!mounts(WRITER).some((one) => at(one, ['name']) === 'spill'));
  assert.throws(() => targetOf('aws', { 'spill-class': 'gp3' }), /a claim that is not asked for/);
});

test('the state volume has room for what is remembered of a full spill volume', () => {
  const [without, withSpill] = [
    podValues(targetOf('aws', {}).settings),
    podValues(targetOf('aws', { 'spill-size': '20Gi' }).settings),
  ];
  const more = withSpill.figures.stateSize.value - without.figures.stateSize.value;
  const files = (20 * 2 ** 30) / withSpill.plan.inputs.inodeRatioBytes;
  const rows = files * stateRowBytes(withSpill.plan.inputs.pathLength);
  assert.ok(more >= rows + RECEIPTS_STATE_BYTES, `${more} bytes for ${files} files`);
  const ephemeral = (values: typeof without): number => values.figures.uploaderEphemeralStorage.value;
  assert.equal(ephemeral(withSpill) - ephemeral(without), more);
  assert.throws(() => targetOf('aws', { 'spill-size': '20Gi', 'state-size': '1200Mi' }), /state-size/);
});

test('how objects are encrypted and compared is handed on to the uploader', async () => {
  const flags = async (values: Record<string, string>) =>
    flagsOf(
      (await synthesized(targetOf('aws', values))).get('Deployment', 'file-writer', ...UPLOADER, 'args'),
    );
  const plain = await flags({});
  assert.deepEqual([plain.sse, plain.sseKmsKeyId, plain.mayRead], ['none', undefined, false]);
  const kms = await flags({ sse: 'aws:kms', 'sse-kms-key-id': 'alias/ferry', 'may-read': 'true' });
  assert.deepEqual([kms.sse, kms.sseKmsKeyId, kms.mayRead], ['aws:kms', 'alias/ferry', true]);
  assert.throws(
    () => targetOf('aws', { 'sse-kms-key-id': 'alias/ferry' }),
    /encryption by KMS is not asked for/,
  );
});

test('a projected token is made for STS and mounted into the uploader alone', async () => {
  const { get } = await synthesized(targetOf('aws', { 'web-identity': 'projected' }));
  const volumes = list(get('Deployment', 'file-writer', ...POD, 'volumes'));
  const token = volumes.find((volume) => at(volume, ['name']) === 'sts-token');
  assert.equal(
    at(token, ['projected', 'sources', 0, 'serviceAccountToken', 'audience']),
    'sts.amazonaws.com',
  );
  const mounts = (path: readonly (string | number)[]) =>
    list(get('Deployment', 'file-writer', ...path, 'volumeMounts')).map((mount) => at(mount, ['name']));
  assert.ok(mounts(UPLOADER).includes('sts-token'));
  assert.ok(!mounts(WRITER).includes('sts-token'));
  assert.equal(get('ServiceAccount', 'file-writer', 'metadata', 'annotations'), undefined);
});

test('in the cluster the S3 server, its keys and its bucket are there before the writer', async () => {
  const { get, files } = await synthesized(deliveredTarget('minikube'));
  assert.deepEqual([...files.keys()], ['0-namespace.yaml', '1-s3.yaml', '2-writer.yaml']);
  const flags = flagsOf(get('Deployment', 'file-writer', ...UPLOADER, 'args'));
  assert.equal(flags.endpoint, 'http://ferry-s3.ferry.svc:7070');
  assert.equal(flags.pathStyle, true);
  const bucket = /^s3:\/\/([^/]+)/.exec(String(flags.to))?.[1];
  assert.match(
    String(get('Deployment', 'ferry-s3', ...POD, 'initContainers', 0, 'args', 0)),
    RegExp(`/store/data/${bucket}"`),
  );
  const used = list(get('Deployment', 'file-writer', ...UPLOADER, 'env')).map((one) =>
    at(one, ['valueFrom', 'secretKeyRef', 'key']),
  );
  assert.deepEqual(used, Object.keys(Object(get('Secret', 'ferry-s3', 'stringData'))));
  assert.equal(get('Deployment', 'file-writer', ...WRITER, 'env'), undefined);
});

test('the namespace is restricted, and traffic is names, S3 and metrics only', async () => {
  for (const name of ['minikube', 'staging'] as const) {
    const { get } = await synthesized(deliveredTarget(name));
    const label = ['metadata', 'labels', 'pod-security.kubernetes.io/enforce'];
    assert.equal(get('Namespace', 'ferry', ...label), 'restricted');
    assert.deepEqual(get('NetworkPolicy', 'deny-all', 'spec'), {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    const egress = list(get('NetworkPolicy', 'file-writer', 'spec', 'egress'));
    const ports = egress.flatMap((rule) => list(at(rule, ['ports'])).map((port) => at(port, ['port'])));
    assert.deepEqual(ports, [53, 53, name === 'staging' ? 443 : 7_070]);
    const from = get('NetworkPolicy', 'file-writer', 'spec', 'ingress', 0, 'ports', 0, 'port');
    assert.equal(from, 9_464);
  }
  const { get } = await synthesized(targetOf('aws', { egress: '10.0.0.0/16, 10.1.0.0/16' }));
  assert.deepEqual(get('NetworkPolicy', 'file-writer', 'spec', 'egress', 1, 'to'), [
    { ipBlock: { cidr: '10.0.0.0/16' } },
    { ipBlock: { cidr: '10.1.0.0/16' } },
  ]);
});

test('a pod is not taken away by a node’s drain unless the settings say so', async () => {
  const budget = async (evictable: string) =>
    (await synthesized(targetOf('aws', { evictable }))).get(
      'PodDisruptionBudget',
      'file-writer',
      'spec',
      'maxUnavailable',
    );
  assert.equal(await budget('false'), 0);
  assert.equal(await budget('true'), 1);
});

test('every selector finds its pods by labels that the settings give', async () => {
  const { get } = await synthesized(targetOf('in-cluster', { name: 'site-7' }));
  const selector = { 'app.kubernetes.io/name': 'site-7', 'app.kubernetes.io/component': 'writer' };
  assert.deepEqual(get('Deployment', 'site-7', 'spec', 'selector', 'matchLabels'), selector);
  assert.deepEqual(get('Service', 'site-7-metrics', 'spec', 'selector'), selector);
  assert.deepEqual(get('PodDisruptionBudget', 'site-7', 'spec', 'selector', 'matchLabels'), selector);
  assert.deepEqual(get('NetworkPolicy', 'site-7', 'spec', 'podSelector', 'matchLabels'), selector);
  for (const [label, value] of Object.entries(selector))
    assert.equal(get('Deployment', 'site-7', 'spec', 'template', 'metadata', 'labels', label), value);
});

test('alerts ask only for metrics that exist', async () => {
  const { get } = await synthesized(deliveredTarget('staging'));
  const rules = list(get('PrometheusRule', 'file-writer', 'spec', 'groups', 0, 'rules'));
  const known = new Set(METRICS.map(({ name }) => name));
  const asked = rules.flatMap((rule) => String(at(rule, ['expr'])).match(/ferry_[a-z_]+/g) ?? []);
  assert.ok(asked.length >= 8);
  for (const metric of asked) assert.ok(known.has(metric), metric);
  assert.equal(get('ServiceMonitor', 'file-writer', 'spec', 'endpoints', 0, 'port'), 'metrics');
  assert.equal(get('Service', 'file-writer-metrics', 'spec', 'publishNotReadyAddresses'), true);
});

test('two runs of the program write the same bytes, and a refused target changes none of them', async (t) => {
  const directory = await tempDir(t);
  const [settings, out, keys] = ['settings', 'out', 'keys'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(settings);
  for (const name of ['minikube', 'staging'])
    cpSync(join(ROOT, `Pulumi.${name}.yaml`), join(settings, `Pulumi.${name}.yaml`));
  cpSync(join(ROOT, 'events.staging.yaml'), join(settings, 'events.staging.yaml'));
  const synth = (to: string) =>
    run(process.execPath, [
      join(ROOT, 'manifests/main.ts'),
      '--settings',
      settings,
      '--out',
      to,
      '--keys',
      keys,
    ]);
  await synth(out);
  await synth(`${out}2`);
  const first = contents(out);
  assert.deepEqual(contents(`${out}2`), first);
  assert.deepEqual(Object.keys(first).length, 7);
  assert.equal(statSync(join(keys, 's3-keys-minikube.json')).mode & 0o777, 0o600);

  const path = join(settings, 'Pulumi.staging.yaml');
  writeFileSync(path, `${readFileSync(path, 'utf8')}  ferry:size-limit: 1Gi\n`);
  writeFileSync(join(settings, 'Pulumi.minikube.yaml'), 'config:\n  ferry:bucket: other\n');
  const failure: unknown = await synth(out).catch((error: unknown) => error);
  assert.equal(at(failure, ['code']), 2);
  assert.match(
    String(at(failure, ['stderr'])),
    /3 settings are wrong in Pulumi\.minikube\.yaml[\s\S]*1\.0 GiB are 4\.4 GiB below/,
  );
  assert.deepEqual(contents(out), first);
});

function contents(directory: string): Record<string, string> {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    paths.map(({ parentPath, name }) => [
      join(parentPath, name).slice(directory.length).replace(/^\d/, ''),
      readFileSync(join(parentPath, name), 'utf8'),
    ]),
  );
}
