// Every pod of every target and volume keeps to the restricted Pod Security standard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokenRules } from './pod-security.ts';
import { at, deliveredTarget, list, podsOf, synthesized, targetOf } from './targets.ts';

test('no pod of any target breaks a rule of the restricted standard', async () => {
  const targets = [
    deliveredTarget('minikube'),
    deliveredTarget('staging'),
    ...['emptyDir', 'memory', 'ephemeral'].map((volume) => targetOf('aws', { volume })),
    targetOf('aws', { 'web-identity': 'projected' }),
    targetOf('in-cluster', { 'writer-notes': 'true', 'writer-read-only-root': 'false' }),
  ];
  for (const target of targets) {
    const { documents } = await synthesized(target);
    const pods = podsOf(documents);
    assert.ok(pods.length > 0);
    for (const { name, spec } of pods) assert.deepEqual(brokenRules(spec), [], `${target.name} ${name}`);
  }
});

test('no container of ours gets an API token, a writable root or more than one user', async () => {
  for (const name of ['minikube', 'staging'] as const) {
    const { documents } = await synthesized(deliveredTarget(name));
    for (const document of documents)
      if (at(document, ['kind']) === 'ServiceAccount')
        assert.equal(at(document, ['automountServiceAccountToken']), false);
    for (const { spec } of podsOf(documents)) {
      assert.equal(at(spec, ['automountServiceAccountToken']), false);
      assert.equal(at(spec, ['securityContext', 'runAsUser']), 65_532);
      assert.equal(at(spec, ['securityContext', 'fsGroup']), 65_532);
      for (const container of [...list(at(spec, ['initContainers'])), ...list(at(spec, ['containers']))])
        assert.equal(at(container, ['securityContext', 'readOnlyRootFilesystem']), true);
    }
  }
});

test('each of fourteen weakenings is noticed by the check itself', async () => {
  const { documents } = await synthesized(deliveredTarget('staging'));
  const weakenings: readonly [path: readonly (string | number)[], value: unknown][] = [
    [['hostNetwork'], true],
    [['hostPID'], true],
    [['hostIPC'], true],
    [['securityContext', 'runAsUser'], 0],
    [['securityContext', 'sysctls'], [{ name: 'kernel.msgmax', value: '1' }]],
    [['volumes', 0], { name: 'data', hostPath: { path: '/' } }],
    [['containers', 0, 'securityContext', 'privileged'], true],
    [['containers', 0, 'securityContext', 'allowPrivilegeEscalation'], true],
    [['containers', 0, 'securityContext', 'capabilities'], { drop: ['NET_RAW'] }],
    [['containers', 0, 'securityContext', 'capabilities'], { drop: ['ALL'], add: ['SYS_ADMIN'] }],
    [['initContainers', 0, 'securityContext', 'runAsNonRoot'], false],
    [['initContainers', 0, 'securityContext', 'seccompProfile'], { type: 'Unconfined' }],
    [['initContainers', 0, 'ports', 0, 'hostPort'], 9464],
    [['initContainers', 0, 'securityContext', 'procMount'], 'Unmasked'],
  ];
  const [pod] = podsOf(documents);
  for (const [path, value] of weakenings) {
    const weakened: unknown = structuredClone(pod?.spec);
    const parent = at(weakened, path.slice(0, -1));
    Reflect.set(Object(parent), path.at(-1) ?? '', value);
    assert.equal(brokenRules(weakened).length, 1, path.join('.'));
  }
});
