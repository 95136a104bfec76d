// `pulumi up` ends when the pod runs: the minikube target with real images on a real cluster, waited for to the end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createSite } from '../cluster/site.ts';
import { kubectl } from './kubectl.ts';
import { lacks } from './needs.ts';
import { makeStack, succeeded } from './stack.ts';

test('up ends when the writer’s pod runs and moves files, and not before', {
  skip: lacks('pulumi', 'cluster'),
}, async (t) => {
  const site = await createSite(t, { apply: false });
  if (site === undefined) return;
  const file = readdirSync(site.directory).find((name) => /^Pulumi\..*\.yaml$/.test(name)) ?? '';
  const { config } = parse(readFileSync(join(site.directory, file), 'utf8'));
  const settings = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name.replace('ferry:', ''), String(value)]),
  );
  const stack = await makeStack(t, {
    ...settings,
    'kube-context': await kubectl(['config', 'current-context']),
  });
  await succeeded(stack.up());
  const pod = await site.pod();
  assert.equal(pod?.ready, true);
  await site.whenMetric('ferry_files_sent_total', (files) => files > 100);
  const { doctor } = await stack.outputs();
  const told = spawnSync('sh', ['-c', `${doctor} --json`], { encoding: 'utf8' });
  assert.equal(JSON.parse(told.stdout).healthy, true, told.stderr);
  assert.doesNotMatch(told.stdout, /No --volume-limit is set/);
  await succeeded(stack.run(['destroy', '--yes', '--non-interactive', '--stack', stack.name]));
});
