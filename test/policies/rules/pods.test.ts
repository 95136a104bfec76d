// Each weakening of what is delivered is found, by the rules that name it and by no other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentsOf, synthesize } from '../../../manifests/synth.ts';
import { readManifests } from '../../../policies/rules/kube.ts';
import { POD_RULES } from '../../../policies/rules/pods.ts';
import { findings } from '../../../policies/rules/rule.ts';
import { deliveredTarget } from '../../manifests/targets.ts';
import { killRate, shown } from '../mutation.ts';
import { podWeakenings } from './pod-weakenings.ts';

async function staging(): Promise<unknown[]> {
  const files = await synthesize(deliveredTarget('staging'));
  return [...files.values()].flatMap(documentsOf);
}

function broken(documents: unknown): string[] {
  assert.ok(Array.isArray(documents));
  return findings(POD_RULES, readManifests('staging', documents)).map(({ rule }) => rule.name);
}

test('what is delivered for staging breaks no rule', async () => {
  assert.deepEqual(broken(await staging()), []);
});

test('each weakening of pod, namespace, network and job is caught by exactly the rules that name it', async (t) => {
  const good = await staging();
  const weakenings = podWeakenings(good);
  const rate = killRate(good, weakenings, broken);
  t.diagnostic(`pods: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
  assert.ok(rate.all >= 100, `${rate.all} weakenings`);
  const named = new Set(weakenings.flatMap(({ rules }) => rules));
  assert.deepEqual(
    POD_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
    'rules that no weakening tries',
  );
});
