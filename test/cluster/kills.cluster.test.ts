// The uploader is killed again and again, by signal and by the kernel for want of memory; the writer never notices.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errnoOf } from '../../app/core/errors.ts';
import { at } from '../manifests/targets.ts';
import { kubectlJson, tryKubectl } from './kubectl.ts';
import { ferryFlags, writerFlags } from './patches.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite, nodeIsHere, type Pod, type Site } from './site.ts';

const KILLS = 20;
/** Where the kubelet waits 10 s, 20 s, 40 s … before it starts a container again, there is no time for more. */
const KILLS_WHERE_SLOW = 4;
const OOM_EVERY = 4;

test('twenty kills of the uploader, five of them for want of memory, never restart the writer and lose nothing', async (t) => {
  const site = await createSite(t, {
    values: { rate: '40', burst: '500', 'burst-size': '2Ki' },
    patch: (documents) => {
      ferryFlags('--prove-every=2s', '--settle=1s')(documents);
      writerFlags('--rate=40')(documents);
    },
  });
  if (site === undefined) return;
  if (!(await nodeIsHere())) {
    t.skip('needs a cluster whose node is this machine, to kill a process of a pod');
    return;
  }
  const kills = (await restartsAtOnce()) ? KILLS : KILLS_WHERE_SLOW;
  const first = await site.ready();
  let ooms = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const before = await site.when(runs, 'the uploader runs');
    const byMemory = kill % OOM_EVERY === 0;
    if (byMemory) ooms += 1;
    else killContainer(before.containerId('ferry'));
    const isKilled = (pod: Pod): boolean =>
      pod.restarts('ferry') > before.restarts('ferry') && (!byMemory || lastEnd(pod) === 'OOMKilled');
    const runsAgain = async (pod: Pod): Promise<boolean> => {
      if (!runs(pod)) return false;
      if (isKilled(pod)) return true;
      // The kernel may have ended another process of the container: then once more.
      if (byMemory) await exhaustMemory(site);
      return false;
    };
    await site.when(runsAgain, `the uploader runs again after kill ${kill}`);
  }
  const last = await site.ready();
  assert.equal(last.uid, first.uid);
  assert.equal(last.restarts('writer'), 0);
  assert.equal(last.containerId('writer'), first.containerId('writer'));
  // In the process that was left alone: those before had hardly time to send.
  await site.whenMetric('ferry_files_proved_total', (files) => files > 500);
  const written = await writtenBy(site);
  const local = await localFiles(site);
  const judged = judge(written, local, await storedObjects(t, site));
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  assert.ok(judged.stored > 500);
  t.diagnostic(
    `${last.restarts('ferry')} restarts by ${kills - ooms} kills and ${ooms} OOM kills, ${written.length} files, ${judged.stored} stored`,
  );
});

function runs(pod: Pod): boolean {
  return (
    at(ferryStatus(pod), ['state', 'running']) !== undefined && at(ferryStatus(pod), ['started']) === true
  );
}

function lastEnd(pod: Pod): unknown {
  return at(ferryStatus(pod), ['lastState', 'terminated', 'reason']);
}

function ferryStatus(pod: Pod): unknown {
  return at(pod.object, ['status', 'initContainerStatuses', 0]);
}

async function restartsAtOnce(): Promise<boolean> {
  const node = at(await kubectlJson(['get', 'nodes']), ['items', 0, 'metadata', 'name']);
  const { stdout } = await tryKubectl(['get', '--raw', `/api/v1/nodes/${String(node)}/proxy/configz`]);
  return /"maxContainerRestartPeriod":"1s"/.test(stdout);
}

/** SIGKILL to the container's first process. From inside a container the kernel refuses it, so it is looked up outside. */
function killContainer(id: string): void {
  assert.match(id, /^[0-9a-f]{64}$/);
  const pids = globSync('/proc/[0-9]*/cgroup').filter((path) => {
    try {
      return readFileSync(path, 'utf8').includes(id);
    } catch {
      return false;
    }
  });
  assert.ok(pids.length > 0, `no process of container ${id} is on this machine`);
  for (const path of pids)
    try {
      process.kill(Number(path.split('/')[2]), 'SIGKILL');
    } catch (error) {
      // With a container's first process all others end.
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
}

/**
 * Fills the container's memory, first with pages that belong to no process, then with small processes, one after
 * another, until the kernel ends the largest one: Ferry, and the container with it. What stays counts for a next try.
 */
async function exhaustMemory(site: Site): Promise<void> {
  const script = `
    const { spawn } = require('node:child_process');
    const { once } = require('node:events');
    const { openSync, writeSync } = require('node:fs');
    const file = openSync('/dev/shm/fill', 'w');
    const page = Buffer.alloc(2 ** 20, 1);
    for (let mebibytes = 0; mebibytes < 60; mebibytes += 1) writeSync(file, page);
    const held = "const held = Buffer.alloc(4 * 2 ** 20, 1); console.log(held.length); setInterval(() => held, 1000)";
    (async () => {
      for (let processes = 0; processes < 12; processes += 1) {
        const child = spawn(process.execPath, ['-e', held], { stdio: ['ignore', 'pipe', 'ignore'] });
        await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
      }
      process.exit();
    })();`;
  await tryKubectl([
    ...['-n', site.namespace, 'exec', 'deployment/file-writer', '-c', 'ferry', '--'],
    ...['/nodejs/bin/node', '-e', script],
  ]);
}
