// Namespace and workload as they would be declared: the objects of the YAML, nothing more and nothing less.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceType } from '../../infra/kubernetes-object.ts';
import { Namespace } from '../../infra/namespace.ts';
import { Workload } from '../../infra/workload.ts';
import type { Manifest } from '../../manifests/guard.ts';
import { at, deliveredTarget, synthesized } from '../manifests/targets.ts';
import { type Declared, declaredBy, only } from './mocked.ts';

async function objects(target: 'minikube' | 'staging', part: 'namespace' | 'workload') {
  const { documents } = await synthesized(deliveredTarget(target));
  const ofNamespace = (document: unknown) =>
    at(document, ['kind']) === 'Namespace' || at(document, ['metadata', 'name']) === 'deny-all';
  // The synthesis has checked each of them against the schema of its kind.
  return documents.filter((document) => ofNamespace(document) === (part === 'namespace')) as Manifest[];
}

const workload = async (target: 'minikube' | 'staging', wait = true) => {
  const all = await objects(target, 'workload');
  const declared = await declaredBy(
    (opts) => new Workload('file-writer', { objects: all, wait, after: [] }, opts),
  );
  return { all, declared };
};

/** How Pulumi marks a secret on its way to the engine. */
const MARK = '4dabf18193072939515e22adb298388d';

/** As a plain object, secrets opened. */
const plain = (one: Declared): Named =>
  JSON.parse(JSON.stringify(one.inputs), (_key, value) =>
    value !== null && typeof value === 'object' && MARK in value ? value.value : value,
  );

interface Named {
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> };
}

const byName = (list: readonly Named[]) =>
  new Map(list.map((one) => [`${one.kind} ${one.metadata?.name}`, one]));

test('what is declared is what the YAML says, object by object', async () => {
  for (const target of ['minikube', 'staging'] as const) {
    const { all, declared } = await workload(target);
    assert.ok(all.length >= 5);
    assert.deepEqual(byName(declared.map(plain)), byName(all));
    assert.equal(declared.length, all.length);
    assert.deepEqual(declared.map(({ type }) => type).sort(), all.map(resourceType).sort());
  }
});

test('the namespace is there before the rule that closes its network', async () => {
  const all = await objects('staging', 'namespace');
  const declared = await declaredBy((opts) => new Namespace('ferry', { objects: all }, opts));
  assert.deepEqual(byName(declared.map(plain)), byName(all));
  assert.deepEqual(only(declared, 'kubernetes:networking.k8s.io/v1:NetworkPolicy').dependsOn, [
    'kubernetes:core/v1:Namespace ferry',
  ]);
});

test('pods start when their account, their secrets and their network rules are there, and wait for no Service', async () => {
  const { declared } = await workload('minikube');
  const pods = declared.filter(({ type }) => type.endsWith(':Deployment'));
  assert.ok(pods.length >= 2);
  for (const { dependsOn, name } of pods) {
    assert.ok(dependsOn.includes('kubernetes:core/v1:ServiceAccount file-writer'), name);
    assert.ok(dependsOn.includes('kubernetes:networking.k8s.io/v1:NetworkPolicy file-writer'), name);
    assert.ok(!dependsOn.some((one) => /:(Service|PersistentVolumeClaim|Deployment) /.test(one)), name);
  }
});

test('not to wait is an annotation on what could be waited for, and changes nothing else', async () => {
  const { all, declared } = await workload('staging', false);
  const annotation = ['metadata', 'annotations', 'pulumi.com/skipAwait'];
  const marked = declared.filter(({ inputs }) => at(inputs, annotation) === 'true');
  assert.ok(marked.some(({ type }) => type.endsWith(':Deployment')));
  assert.ok(!marked.some(({ type }) => /:(Secret|ServiceAccount|NetworkPolicy)$/.test(type)));
  const bare = declared.map(plain).map((object) => {
    const { annotations, ...metadata } = object.metadata ?? {};
    const { 'pulumi.com/skipAwait': _, ...rest } = annotations ?? {};
    const others = Object.keys(rest).length > 0 ? { annotations: rest } : {};
    return { ...object, metadata: { ...metadata, ...others } };
  });
  assert.deepEqual(byName(bare), byName(all));
});

test('a backfill, which may take days, is never waited for', async () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'backfill', labels: { a: 'b' } } };
  const declared = await declaredBy(
    (opts) => new Workload('file-writer', { objects: [job], wait: true, after: [] }, opts),
  );
  const { inputs } = only(declared, 'kubernetes:batch/v1:Job');
  assert.deepEqual(inputs.metadata, {
    ...job.metadata,
    annotations: { 'pulumi.com/skipAwait': 'true' },
  });
});

test('the keys of the S3 server are a secret to Pulumi, too', async () => {
  const { declared } = await workload('minikube');
  const { inputs } = only(declared, 'kubernetes:core/v1:Secret');
  assert.ok(at(inputs, ['stringData', MARK]) !== undefined);
});
