// Each alert for real: movers in trouble and healthy ones beside them, scraped by a real Prometheus. An hour is a minute
// here: the alerts' times are divided by 60, the movers run as they are.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { alerts } from '../../manifests/alerts.ts';
import { PANELS } from '../../manifests/dashboard.ts';
import { EVERY_MS, NO_PROMETHEUS, type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { createGate, DENIED } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';
import { openSite, type Site } from './site.ts';

const SECOND = 1 / 60;
/** What the volume is planned for, in the time of the alerts: ten seconds here. */
const OUTAGE_S = 600;
const FIRE_MS = 300_000;
/** A look asks Prometheus for each mover: more often than it evaluates would only take the core from those it scrapes. */
const LOOK_MS = EVERY_MS;
const CLEAR_MS = 420_000;
const HEALTHY = ['busy', 'idle'];

/** The healthy movers have a process of their own: what the others' trouble costs is no trouble of theirs. */
async function startHealthy(t: TestContext): Promise<{ ports: readonly number[]; write(): void }> {
  const child = fork(join(import.meta.dirname, 'healthy-sites.ts'), { stdio: 'inherit' });
  t.after(async () => {
    child.disconnect();
    await once(child, 'exit');
  });
  const [ports] = await once(child, 'message');
  // What healthy-sites.ts sends.
  return { ports: ports as readonly number[], write: () => child.send('write') };
}

/** The names of a target's firing alerts. */
async function firing(prometheus: Prometheus, target: string): Promise<string[]> {
  const found = await prometheus.query(`ALERTS{alertstate="firing",target="${target}"}`);
  return [...new Set(found.map(({ metric }) => metric.alertname ?? ''))].sort();
}

test('every alert fires for its fault, clears when the fault is gone, and never for a healthy mover', {
  timeout: 1_200_000,
}, async (t) => {
  if (NO_PROMETHEUS) return t.skip('needs prometheus');
  const refused = await openSite(t, {
    volumeLimitBytes: 20 * 2 ** 20,
    lowWatermark: 0.75,
    highWatermark: 0.85,
    criticalWatermark: 0.95,
  });
  const healthy = await startHealthy(t);
  const sites: Record<string, Site> = {
    refused,
    conflict: await openSite(t),
    vanished: await openSite(t, { proveEveryMs: 3_000, retentionMs: 3_600_000 }),
    restarts: await openSite(t),
    stalled: await openSite(t, { walkEveryMs: 3_600_000 }),
    gone: await openSite(t),
  };
  const ports: [job: string, port: number][] = [
    ...HEALTHY.map((job, index): [string, number] => [job, healthy.ports[index] ?? 0]),
    ...Object.entries(sites).map(([job, { port }]): [string, number] => [job, port]),
  ];
  const targets = ports.map(([job, port]) => ({
    job,
    port,
    alerts: alerts({ here: `{namespace="n",job="${job}"}`, outageS: OUTAGE_S, second: SECOND }),
  }));
  const prometheus = await startPrometheus(t, targets);
  const answered = async () => (await prometheus.query('up == 1')).length === targets.length;
  await until(answered, 'Prometheus has scraped every mover', 60_000, LOOK_MS);
  // Prometheus evaluates rules at once but scrapes only 5 s after its start, however short the interval: as long as
  // FerryAbsent waits here, so that it may fire for anybody before. What is judged begins now.
  const startedMs = Date.now();
  healthy.write();

  const denied = refused.rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: DENIED });
  refused.write(80);
  sites.conflict?.rig.server.place('clash', Buffer.from('other content'));
  sites.conflict?.rig.write('clash');
  // Taken away before it is acknowledged: no listing can have proved it.
  const stored = createGate();
  sites.vanished?.rig.server.faults.add({
    when: ({ op }) => op === 'PutObject',
    times: 1,
    do: { kind: 'hold', gate: stored, at: 'after' },
  });
  sites.vanished?.rig.write('taken-away');
  await stored.arrived;
  sites.vanished?.rig.server.remove('taken-away');
  stored.release();
  await sites.gone?.hide();
  const startOf = async (): Promise<number> =>
    Number((await prometheus.query('process_start_time_seconds{job="restarts"}'))[0]?.value[1] ?? 0);
  const restarting = async (): Promise<boolean> =>
    (await firing(prometheus, 'restarts')).includes('FerryRestarting');
  for (let restarts = 0; restarts < 20 && !(await restarting()); restarts += 1) {
    const before = await startOf();
    await sites.restarts?.restart();
    await until(async () => (await startOf()) > before, 'the restart was scraped', 60_000, LOOK_MS);
  }

  const expected: Record<string, readonly string[]> = {
    refused: [
      'FerryBacklogGrowing',
      'FerryCredentialsRefused',
      'FerryDiskCritical',
      'FerryDiskFullSoon',
      'FerryDiskHigh',
      'FerryFilesFailing',
      'FerryNotFlowing',
      'FerryStoreDown',
      'FerryUnprovedTooOld',
    ],
    conflict: ['FerryContentConflict'],
    vanished: ['FerryObjectsVanished'],
    restarts: ['FerryRestarting'],
    stalled: ['FerryWalkStalled'],
    gone: ['FerryAbsent'],
  };
  assert.deepEqual(
    Object.values(expected).flat().sort(),
    alerts({ here: '{a="b"}', outageS: 1 })
      .map(({ alert }) => alert)
      .sort(),
    'every alert has its fault here',
  );
  const fired = new Map<string, Set<string>>(Object.keys(sites).map((job) => [job, new Set()]));
  const lookAround = async (): Promise<void> => {
    for (const [job, names] of fired) for (const name of await firing(prometheus, job)) names.add(name);
  };
  const missing = () =>
    Object.entries(expected).flatMap(([job, names]) => names.filter((name) => !fired.get(job)?.has(name)));
  const allFired = async (): Promise<boolean> => {
    await lookAround();
    return missing().length === 0;
  };
  await until(allFired, 'every alert has fired', FIRE_MS, LOOK_MS).catch((error: unknown) => {
    assert.fail(`${error}: ${missing().join(', ')}`);
  });
  t.diagnostic(`all ${Object.values(expected).flat().length} fired after ${Date.now() - startedMs} ms`);

  denied.remove();
  refused.stopWriting();
  await sites.gone?.serve();
  await sites.stalled?.restart({ walkEveryMs: 1_000 });
  let left: string[] = [];
  const allClear = async (): Promise<boolean> => {
    await lookAround();
    left = (await prometheus.query('ALERTS{alertstate="firing"}')).map(
      ({ metric }) => `${metric.target} ${metric.alertname} ${metric.reason ?? ''}`,
    );
    return left.length === 0;
  };
  await until(allClear, 'every alert has cleared', CLEAR_MS, LOOK_MS).catch((error: unknown) => {
    assert.fail(`${error}: ${left.join(', ')}`);
  });
  t.diagnostic(`all clear after ${Date.now() - startedMs} ms`);

  // At least the healthy hour.
  await until(() => Date.now() - startedMs >= 3_600_000 * SECOND, 'the hour is over', 120_000);
  await lookAround();
  for (const job of HEALTHY) assert.deepEqual([...(fired.get(job) ?? [])], [], `false alarms of ${job}`);
  // Not only when we looked: over the whole time.
  const alarms = `ALERTS{alertstate="firing",target=~"${HEALTHY.join('|')}"}`;
  const ever = await prometheus.query(`count_over_time(${alarms}[${Date.now() - startedMs}ms])`);
  assert.deepEqual(ever, []);
  const [sent] = await prometheus.query('max_over_time(ferry_files_sent_total{job="busy"}[1m])');
  assert.ok(Number(sent?.value[1]) > 500, 'the busy one was busy');

  for (const { title, queries } of PANELS) {
    for (const expr of Object.values(queries)) {
      const asked = expr
        .replaceAll('$__rate_interval', '10s')
        .replaceAll('$namespace', '.*')
        .replaceAll('$job', '.*');
      const answers = async (): Promise<boolean> => (await prometheus.query(asked)).length > 0;
      if (title === 'Failing files') await answers();
      else await until(answers, `${title} has an answer: ${asked}`, 60_000, LOOK_MS);
    }
  }
});
