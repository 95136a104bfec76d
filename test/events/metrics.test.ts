// What Prometheus sees of a run: every series there from the start, the run's own counts, and no label without bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../app/core/log.ts';
import { type EventsSnapshot, eventsMetrics } from '../../app/events/metrics.ts';
import { chooseWork, openWorkshop, workThrough } from '../../app/events/run.ts';
import { serveMetrics } from '../../app/events/serve.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { createEventsRig } from '../support/events/rig.ts';

const NOTHING: EventsSnapshot = {
  startedAtMs: 1_800_000_000_000,
  planned: undefined,
  outcomes: new Map(),
  failures: new Map(),
  ...{ records: 0, duplicates: 0, pages: 0, retries: 0, lastPageAtMs: undefined, parallel: 1, inFlight: 0 },
};

function value(text: string, series: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line?.slice(series.length + 1);
}

test('every counter exists at 0 before the first event, and what is not known yet is absent', async () => {
  const { registry, describe } = eventsMetrics(() => NOTHING);
  const text = await registry.metrics();
  for (const { name, type, help } of describe()) {
    assert.match(help, /^[A-Z0-9].{15,}\.$/s, name);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'counter' && !name.startsWith('process_'))
      assert.match(text, new RegExp(`^${name}(\\{.*\\})? 0$`, 'm'), name);
  }
  for (const kind of ['transient', 'data', 'store', 'config', 'internal'])
    assert.equal(value(text, `ferry_events_failed_type_days_total{kind="${kind}"}`), '0');
  assert.equal(value(text, 'ferry_events_planned_type_days'), undefined);
  assert.equal(value(text, 'process_start_time_seconds'), '1800000000');
});

test('a run is told as it was, on a port while it lasts, with as many series for 3 days as for 8', async (t) => {
  const rig = await createEventsRig(t);
  const served = async (lookback: number): Promise<string> => {
    const { signal } = new AbortController();
    const settings = { ...rig.settings('events: [charge, refund]'), lookback, late_days: 0 };
    const shop = await openWorkshop({
      ...{ settings, clock: rig.clock, log: silentLog, signal, env: { API_KEY } },
    });
    t.after(() => shop.close());
    const server = await serveMetrics('127.0.0.1:0', shop.counts, rig.clock);
    try {
      await workThrough(shop, await chooseWork(shop, {}), 1);
      return await (await fetch(`http://${server.address}/metrics`)).text();
    } finally {
      await server.close();
    }
  };
  rig.api.docs.set('charge/2026-11-20', [...docsOf('charge', '2026-11-20', 150)]);
  let refused = false;
  rig.api.fault = ({ type, day }) => {
    if (type === 'refund' && day === '2026-11-19') return { status: 401 };
    if (type !== 'charge' || day !== '2026-11-20' || refused) return undefined;
    refused = true;
    return { status: 502 };
  };
  const text = await served(3);
  assert.equal(value(text, 'ferry_events_planned_type_days'), '6');
  assert.equal(value(text, 'ferry_events_finished_type_days_total{outcome="sealed"}'), '5');
  assert.equal(value(text, 'ferry_events_failed_type_days_total{kind="data"}'), '1');
  assert.equal(value(text, 'ferry_events_records_total'), '150');
  assert.equal(value(text, 'ferry_events_pages_total'), '6');
  assert.equal(value(text, 'ferry_events_retries_total'), '1');
  assert.equal(value(text, 'ferry_events_requests_in_flight'), '0');
  assert.ok(Number(value(text, 'ferry_events_last_page_timestamp_seconds')) > 1_700_000_000);
  const names = (all: string) => all.split('\n').filter((line) => /^[a-z]/.test(line)).length;
  assert.equal(names(await served(8)), names(text));
});
