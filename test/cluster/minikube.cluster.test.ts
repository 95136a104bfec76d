// The minikube target on a real Kubernetes: applied as `npm run synth` writes it, looked at, broken and taken down with
// the very commands of docs/minikube.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/temp.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite } from './site.ts';

test('files flow from the writer to the S3 server of the cluster, each as it was written', async (t) => {
  const site = await createSite(t);
  if (site === undefined) return;
  await site.ready();
  await until(
    async () => ((await site.metric('ferry_files_proved_total')) ?? 0) >= 1_200,
    'the burst is proved',
    180_000,
  );
  const written = await writtenBy(site);
  const local = await localFiles(site);
  const objects = await storedObjects(t, site);
  const judged = judge(written, local, objects);
  t.diagnostic(`${written.length} files written, ${judged.stored} of them in the bucket`);
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  assert.ok(judged.stored >= 1_200);
});
