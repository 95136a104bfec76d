// Every pod of every target and volume keeps to the restricted Pod Security standard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokenRules, WEAKENINGS, weakened } from './pod-security.ts';
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
  const [pod] = podsOf(documents);
  assert.equal(WEAKENINGS.length, 14);
  for (const weakening of WEAKENINGS)
    assert.equal(brokenRules(weakened(pod?.spec, weakening)).length, 1, weakening[0].join('.'));
});
