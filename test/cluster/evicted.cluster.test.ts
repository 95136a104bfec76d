// What the limit of an emptyDir really does when S3 is away for longer than planned: the kubelet takes the pod away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, list } from '../manifests/targets.ts';
import { until } from '../support/temp.ts';
import { FAST_WRITER, LITTLE, withoutS3 } from './full.ts';
import { createSite, LOOK_MS } from './site.ts';

test('an emptyDir over its limit gets the pod evicted, writer and all', async (t) => {
  const values = { ...LITTLE, 'size-limit': '24Mi' };
  const site = await createSite(t, { values, patch: FAST_WRITER, apply: false });
  if (site === undefined) return;
  await withoutS3(site);
  const evictions = async () =>
    list(at(await site.json('get', 'events', '--field-selector=reason=Evicted'), ['items']));
  // The kubelet may look in the very moment in which the limit is passed: the pod is gone before it tells of it then.
  let overMs: number | undefined;
  const evicted = async (): Promise<boolean> => {
    const used = (await site.metrics()).get('ferry_files_disk_used_bytes') ?? 0;
    if (used > 24 * 2 ** 20) overMs ??= performance.now();
    return (await evictions()).length > 0;
  };
  await until(evicted, 'the pod is evicted', 300_000, LOOK_MS);
  const seconds = (performance.now() - (overMs ?? performance.now())) / 1_000;
  const [event] = await evictions();
  assert.match(String(at(event, ['message'])), /Usage of EmptyDir volume "data" exceeds the limit "24Mi"/);
  t.diagnostic(`evicted ${seconds.toFixed(0)} s after the limit was passed`);
});
