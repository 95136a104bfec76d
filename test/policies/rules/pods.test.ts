// Each weakening of what is delivered is found, by the rules that name it and by no other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBeside } from '../../../manifests/settings/files.ts';
import { documentsOf, synthesize } from '../../../manifests/synth.ts';
import { readManifests } from '../../../policies/rules/kube.ts';
import { POD_RULES } from '../../../policies/rules/pods.ts';
import { findings } from '../../../policies/rules/rule.ts';
import { ROOT, targetFrom } from '../../manifests/targets.ts';
import { killRate, shown } from '../mutation.ts';
import { podWeakenings } from './pod-weakenings.ts';

/** What is delivered, with a backfill of events beside their schedule. */
async function staging(): Promise<unknown[]> {
  const delivered = readFileSync(join(ROOT, 'Pulumi.staging.yaml'), 'utf8');
  const backfill = '  ferry-events:from: 2026-01-01\n  ferry-events:to: 2026-01-31\n';
  const files = await synthesize(
    targetFrom('staging', delivered + backfill, (path) => readBeside(ROOT, path)),
  );
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
