// A volume claim of the pod's own that is full, on a volume that has an end as a disk has.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FAST_WRITER, fillsAndLives, LITTLE } from './full.ts';
import { kubectl, tryKubectl } from './kubectl.ts';
import { createSite, nodeIsHere, provideVolume } from './site.ts';

const run = promisify(execFile);

test('a full volume of the pod’s own is an error to the writer; the pod lives, and nothing is lost', async (t) => {
  const storageClass = `sized-${process.pid}`;
  const values = { ...LITTLE, volume: 'ephemeral', 'volume-class': storageClass };
  const site = await createSite(t, { values, patch: FAST_WRITER, apply: false });
  if (site === undefined) return;
  if (!(await nodeIsHere())) {
    t.skip('needs a cluster whose node is this machine, for a volume with an end');
    return;
  }
  const objects = await kubectl(['apply', '--dry-run=client', '-f', site.manifests, '-o', 'json']);
  const [, count, unit] = /--volume-limit=(\d+)(Ki|Mi)"/.exec(objects) ?? assert.fail('no limit');
  const path = join(site.directory, 'sized');
  mkdirSync(path);
  const size = `size=${Number(count)}${unit === 'Ki' ? 'k' : 'm'}`;
  await run('mount', ['-t', 'tmpfs', '-o', `${size},mode=0777`, 'tmpfs', path]);
  site.atEnd(() => run('umount', ['--lazy', path]));
  const kind = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: storageClass } };
  const manual = { provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' };
  await kubectl(['apply', '-f', '-'], JSON.stringify({ ...kind, ...manual }));
  site.atEnd(() => tryKubectl(['delete', 'storageclass', storageClass]));
  await provideVolume(site.namespace, { path, storageClass });
  await fillsAndLives(t, site);
});
