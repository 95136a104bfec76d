// A field that the chart library drops, or that Kubernetes does not know, stops the synthesis.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiObject, App, Chart, JsonPatch, Yaml } from 'cdk8s';
import { Cpu, Deployment } from 'cdk8s-plus-27';
import { expectInYaml, lostFields, setPastTypes } from '../../manifests/guard.ts';
import { schemaProblems } from '../../manifests/schema-check.ts';
import { documentsOf, synthesize } from '../../manifests/synth.ts';
import { at, deliveredTarget, synthesized, targetOf } from './targets.ts';

const RESTART = '/spec/template/spec/initContainers/0/restartPolicy';

/** As the library's own types would have it: its patch of a native sidecar is lost without a word. */
function librarySidecar(chart: Chart): ApiObject {
  const deployment = new Deployment(chart, 'library', {
    metadata: { name: 'library' },
    containers: [{ image: 'a:1', resources: { cpu: { request: Cpu.millis(1) } } }],
    initContainers: [{ image: 'b:1', name: 'sidecar' }],
  });
  return ApiObject.of(deployment);
}

test('a native sidecar patched into the library’s own Deployment is lost, and found missing', () => {
  const chart = new Chart(new App(), 'chart');
  setPastTypes(librarySidecar(chart), RESTART, 'Always');
  const documents = documentsOf(Yaml.stringify(...chart.toJson()));
  const [lost, ...more] = lostFields(chart, documents);
  assert.deepEqual(more, []);
  assert.match(
    lost ?? '',
    /Deployment library: .*restartPolicy was set to "Always" and the YAML holds nothing/,
  );
});

test('synthesis of a whole target fails when one guarded field does not survive', async () => {
  const target = targetOf('aws');
  const writer = target.charts.get('2-writer');
  assert.ok(writer);
  const deployment = writer.apiObjects.find(({ kind }) => kind === 'Deployment');
  assert.ok(deployment);
  deployment.addJsonPatch(JsonPatch.remove(RESTART));
  await assert.rejects(synthesize(target), {
    message: /nothing was written:\n\n {2}Deployment file-writer: .*restartPolicy was set to "Always"/,
  });
});

test('a value that changes its type on the way is found', () => {
  const chart = new Chart(new App(), 'chart');
  const object = new ApiObject(chart, 'one', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one' },
  });
  expectInYaml(object, '/metadata/name', 'one');
  expectInYaml(object, '/metadata/name', 1);
  expectInYaml(object, '/data/a~1b', 'x');
  const lost = lostFields(chart, documentsOf(Yaml.stringify(...chart.toJson())));
  assert.equal(lost.length, 2);
});

test('every value of the pod is guarded, not only those somebody thought of', async () => {
  const target = deliveredTarget('staging');
  const { documents } = await synthesized(target);
  const writer = target.charts.get('2-writer');
  assert.ok(writer);
  for (const pointer of [
    'template/spec/volumes/0/emptyDir/sizeLimit',
    'template/spec/terminationGracePeriodSeconds',
    'template/spec/initContainers/0/startupProbe/failureThreshold',
    'template/spec/containers/0/securityContext/seccompProfile/type',
    'template/metadata/annotations/eks.amazonaws.com~1skip-containers',
  ]) {
    const broken = structuredClone(documents);
    const deployment = broken.find((document) => at(document, ['kind']) === 'Deployment');
    const path = `spec/${pointer}`.split('/').map((part) => part.replaceAll('~1', '/'));
    assert.ok(Reflect.deleteProperty(Object(at(deployment, path.slice(0, -1))), path.at(-1) ?? ''));
    assert.equal(lostFields(writer, broken).length, 1, pointer);
  }
});

test('a patch in another spelling, an unknown field and a wrong type are refused by the schema', async () => {
  const pod = (spec: object, container: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'n' },
    spec: { containers: [{ name: 'c', image: 'i:1', ...container }], ...spec },
  });
  assert.deepEqual(await schemaProblems(pod({ hostPID: false }, { restartPolicy: 'Always' })), []);
  const wrong: readonly [object, RegExp][] = [
    [pod({ hostPid: true }), /\/spec\/hostPid is unknown/],
    [pod({}, { livenesProbe: {} }), /\/spec\/containers\/0\/livenesProbe is unknown/],
    [pod({ terminationGracePeriodSeconds: '30' }), /terminationGracePeriodSeconds must be of type integer/],
    [pod({}, { resources: { limits: { memory: '96MB' } } }), /limits\/memory is no quantity/],
    [pod({}, { imagePullPolicy: 'Sometimes' }), /imagePullPolicy is none of Always/],
    [pod({}, { name: undefined }), /\/spec\/containers\/0 lacks name/],
    [{ ...pod({}), kind: 'Podd' }, /there is no schema for v1 Podd/],
    [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', namespace: 'n' } }, /its kind is in none/],
  ];
  for (const [document, why] of wrong) assert.match((await schemaProblems(document)).join(' '), why);
});

test('unknown fields of the monitoring kinds are refused too', async () => {
  const monitor = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: 'a', namespace: 'n', labels: {} },
    spec: { selector: { matchLabels: {} }, endpoints: [], selectors: {} },
  };
  assert.match((await schemaProblems(monitor)).join(' '), /selectors/);
});
