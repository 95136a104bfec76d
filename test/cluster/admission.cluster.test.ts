// What a real API server says of every manifest of every target, and of a pod that is weaker than ours.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { documentsOf } from '../../manifests/synth.ts';
import { WEAKENINGS, weakened } from '../manifests/pod-security.ts';
import { at, list, podsOf } from '../manifests/targets.ts';
import { ROOT } from '../support/cli.ts';
import { until } from '../support/temp.ts';
import { kubectl, tryKubectl } from './kubectl.ts';
import { createSite, deliveredSettings, LOOK_MS, rendered, type Site } from './site.ts';

const DRY_RUN = ['--dry-run=server', '--warnings-as-errors'];

/** A target's manifests in the namespace of the test. */
async function targetIn(site: Site, name: string, values: Record<string, unknown> = {}): Promise<string> {
  const directory = join(site.directory, `${name}-${Object.values(values).join('-')}`);
  await mkdir(directory);
  return rendered(directory, { ...deliveredSettings(name), namespace: site.namespace, ...values });
}

test('the API server takes every manifest of every target without a warning', async (t) => {
  const site = await createSite(t, { apply: false });
  if (site === undefined) return;
  const targets = globSync('Pulumi.*.yaml', { cwd: ROOT }).map((file) => file.split('.')[1] ?? '');
  assert.ok(targets.length >= 2);
  const folders = await Promise.all(targets.map((name) => targetIn(site, name)));
  for (const volume of ['memory', 'ephemeral']) folders.push(await targetIn(site, 'staging', { volume }));
  folders.push(await targetIn(site, 'staging', { 'web-identity': 'projected' }));
  const backfill = { 'ferry-events:from': '2026-01-01', 'ferry-events:to': '2026-01-31' };
  folders.push(await targetIn(site, 'staging', backfill));
  // What is dry-run does not exist: the namespace is made first.
  await kubectl(['apply', '-f', join(folders[0] ?? '', '0-namespace.yaml')]);
  await knowMonitoring(site);
  const kinds = new Set<string>();
  for (const folder of folders) {
    const taken = await kubectl(['apply', ...DRY_RUN, '-f', folder, '-o', 'name']);
    const documents = readdirSync(folder).flatMap((file) =>
      documentsOf(readFileSync(join(folder, file), 'utf8')),
    );
    assert.equal(taken.trim().split('\n').length, documents.length);
    for (const document of documents) kinds.add(String(at(document, ['kind'])));
  }
  t.diagnostic(`${folders.length} targets and variants, kinds: ${[...kinds].sort().join(', ')}`);
});

test('the namespace takes our pods and refuses each of fourteen weaker ones', async (t) => {
  const site = await createSite(t, { apply: false });
  if (site === undefined) return;
  const folder = await targetIn(site, 'staging', { 'web-identity': 'projected' });
  await kubectl(['apply', '-f', join(folder, '0-namespace.yaml')]);
  const writer = documentsOf(readFileSync(join(folder, '2-writer.yaml'), 'utf8'));
  const account = writer.find((document) => at(document, ['kind']) === 'ServiceAccount');
  await kubectl(['apply', '-f', '-'], JSON.stringify(account));
  const [pod] = podsOf(writer);
  const ask = (spec: unknown) => {
    const metadata = { name: 'asked', namespace: site.namespace };
    const asked = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    return tryKubectl(['create', ...DRY_RUN, '-f', '-'], asked);
  };
  const ours = await ask(pod?.spec);
  assert.equal(ours.exit, 0, ours.stderr);
  for (const weakening of WEAKENINGS) {
    const { exit, stderr } = await ask(weakened(pod?.spec, weakening));
    assert.equal(exit, 1, weakening[0].join('.'));
    assert.match(
      stderr,
      /violates PodSecurity "restricted:latest"|is invalid|Forbidden/,
      weakening[0].join('.'),
    );
  }
});

/** The kinds of Prometheus Operator, where the cluster has none: any spec is taken, since ours is checked offline. */
async function knowMonitoring(site: Site): Promise<void> {
  const group = 'monitoring.coreos.com';
  const known = list(at(JSON.parse(await kubectl(['get', 'crds', '-o', 'json'])), ['items'])).map((one) =>
    at(one, ['metadata', 'name']),
  );
  for (const [kind, plural] of [
    ['ServiceMonitor', 'servicemonitors'],
    ['PodMonitor', 'podmonitors'],
    ['PrometheusRule', 'prometheusrules'],
  ]) {
    const name = `${plural}.${group}`;
    if (known.includes(name)) continue;
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural, singular: String(kind).toLowerCase() },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    };
    await kubectl(['apply', '-f', '-'], JSON.stringify(crd));
    site.atEnd(() => tryKubectl(['delete', 'crd', name]));
    await kubectl(['wait', `crd/${name}`, '--for=condition=Established', '--timeout=240s']);
    // Established is said before it is served.
    const isServed = async (): Promise<boolean> =>
      (await tryKubectl(['-n', site.namespace, 'get', name])).exit === 0;
    await until(isServed, `${name} is served`, 60_000, LOOK_MS);
  }
}
