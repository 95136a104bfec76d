// The minikube target on a real Kubernetes: applied as `npm run synth` writes it, looked at, broken and taken down with
// the very commands of docs/minikube.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite } from './site.ts';

test('files flow from the writer to the S3 server of the cluster, each as it was written', async (t) => {
  const site = await createSite(t);
  if (site === undefined) return;
  await site.ready();
  await site.whenMetric('ferry_files_proved_total', (files) => files >= 1_200, 180_000);
  const written = await writtenBy(site);
  const local = await localFiles(site);
  const objects = await storedObjects(t, site);
  const judged = judge(written, local, objects);
  t.diagnostic(`${written.length} files written, ${judged.stored} of them in the bucket`);
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  assert.ok(judged.stored >= 1_200);
});
