// Each alert is raised by what it is named after, not before its time and not by a healthy mover, as Prometheus itself
// evaluates it; and each has its section in the runbook.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { type Alert, alerts, runbookOf } from '../../manifests/alerts.ts';
import { tempDir } from '../support/temp.ts';

const ALERTS = alerts({ here: '{namespace="n",job="j"}', outageS: 4 * 3_600 });
const LABELS = '{namespace="n",job="j",instance="i"}';
const RUNBOOK = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const NO_PROMTOOL = spawnSync('promtool', ['--version']).status !== 0;

type Series = Readonly<Record<string, string>>;

/** A mover to which nothing happens, one value a minute, for ten hours. `a+bx599` is Prometheus's own notation. */
const HEALTHY: Series = {
  up: '1x599',
  ferry_files_last_success_timestamp_seconds: '0+60x599',
  ferry_files_last_arrival_timestamp_seconds: '0+60x599',
  ferry_files_last_walk_timestamp_seconds: '0+60x599',
  process_start_time_seconds: '1x599',
  ferry_files_backlog_files: '20 80 0x597',
  ferry_files_unproved_files: '700x599',
  ferry_files_oldest_unproved_age_seconds: '60x599',
  ferry_files_disk_full_seconds: '1e+12x599',
  ferry_files_disk_level: '0x599',
  ferry_files_store_up: '1x599',
  ferry_files_conflicts_total: '0x599',
  ferry_files_vanished_objects_total: '0x599',
  'ferry_files_failing_files{reason="denied"}': '0x599',
  'ferry_files_failing_files{reason="network"}': '0 0 3 0x596',
  'ferry_files_store_fault{reason="denied"}': '0x599',
};

/** What differs from the healthy mover, when the alert is not yet there and when it is. Minutes. */
const CASES: Readonly<
  Record<string, { readonly series: Series; readonly not: number; readonly there: number }>
> = {
  FerryNotFlowing: {
    series: {
      ferry_files_last_success_timestamp_seconds: '0+60x60 3600x538',
      ferry_files_backlog_files: '0x60 0+600x538',
    },
    not: 70,
    there: 80,
  },
  FerryBacklogGrowing: { series: { ferry_files_backlog_files: '0x60 0+600x538' }, not: 70, there: 85 },
  FerryUnprovedTooOld: {
    series: { ferry_files_oldest_unproved_age_seconds: '0+60x599' },
    not: 240,
    there: 250,
  },
  FerryDiskFullSoon: { series: { ferry_files_disk_full_seconds: '7200-60x120 0x478' }, not: 60, there: 70 },
  FerryDiskHigh: { series: { ferry_files_disk_level: '0x60 1x538' }, not: 70, there: 80 },
  FerryDiskCritical: { series: { ferry_files_disk_level: '0x60 2x538' }, not: 60, there: 65 },
  FerryCredentialsRefused: {
    series: { 'ferry_files_failing_files{reason="denied"}': '0x60 5x538' },
    not: 63,
    there: 70,
  },
  FerryStoreDown: { series: { ferry_files_store_up: '1x60 0x538' }, not: 68, there: 75 },
  FerryContentConflict: { series: { ferry_files_conflicts_total: '0x60 1x538' }, not: 60, there: 62 },
  FerryFilesFailing: {
    series: { 'ferry_files_failing_files{reason="network"}': '0x60 1x538' },
    not: 85,
    there: 95,
  },
  FerryObjectsVanished: { series: { ferry_files_vanished_objects_total: '0x60 2x538' }, not: 60, there: 62 },
  FerryRestarting: {
    series: { process_start_time_seconds: '1x60 3700x3 4000x3 4300x531' },
    not: 64,
    there: 70,
  },
  FerryWalkStalled: {
    series: { ferry_files_last_walk_timestamp_seconds: '0+60x60 3600x538' },
    not: 75,
    there: 85,
  },
  FerryAbsent: { series: { up: '1x60 0x538' }, not: 63, there: 70 },
};

function withLabels(name: string): string {
  const [metric = '', own = ''] = name.split('{');
  return own === '' ? metric + LABELS : `${metric}${LABELS.replace('}', `,${own}`)}`;
}

const seriesOf = (series: Series): object[] =>
  Object.entries({ ...HEALTHY, ...series }).map(([name, values]) => ({ series: withLabels(name), values }));

/** Whether the alert is raised at a minute, asked as a query so that labels and texts need not be repeated. */
function raised({ alert }: Alert, minute: number, count: number): object {
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
  return { expr, eval_time: `${minute}m`, exp_samples: [{ labels: '{}', value: count }] };
}

test('every alert is raised by its fault in its time, and none by a healthy mover', async (t) => {
  if (NO_PROMTOOL) return t.skip('needs promtool');
  const directory = await tempDir(t);
  const rules = ALERTS.map(({ alert, expr, for: lasting }) => ({ alert, expr, for: lasting }));
  writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: [{ name: 'ferry', rules }] }));
  const tests = ALERTS.map((alert) => {
    const { series, not, there } = CASES[alert.alert] ?? assert.fail(`${alert.alert} has no case`);
    return {
      name: alert.alert,
      interval: '1m',
      input_series: seriesOf(series),
      promql_expr_test: [raised(alert, not, 0), raised(alert, there, 1)],
    };
  });
  const never = 'count(ALERTS{alertstate="firing"}) or vector(0)';
  const healthy = {
    name: 'healthy',
    interval: '1m',
    input_series: seriesOf({}),
    promql_expr_test: [5, 30, 70, 300, 590].map((minute) => ({
      expr: never,
      eval_time: `${minute}m`,
      exp_samples: [{ labels: '{}', value: 0 }],
    })),
  };
  const file = join(directory, 'tests.yaml');
  writeFileSync(
    file,
    stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [...tests, healthy] }),
  );
  execFileSync('promtool', ['check', 'rules', join(directory, 'rules.yaml')]);
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, (stdout + stderr).slice(0, 2_000));
});

test('an idle mover with one bad file is no emergency', async (t) => {
  if (NO_PROMTOOL) return t.skip('needs promtool');
  const directory = await tempDir(t);
  const rules = ALERTS.map(({ alert, expr, for: lasting }) => ({ alert, expr, for: lasting }));
  writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: [{ name: 'ferry', rules }] }));
  const test = {
    name: 'one bad file at night',
    interval: '1m',
    input_series: seriesOf({
      ferry_files_last_success_timestamp_seconds: '0+60x60 3600x538',
      ferry_files_last_arrival_timestamp_seconds: '0+60x60 3600x538',
      ferry_files_backlog_files: '1x599',
      ferry_files_unproved_files: '0x599',
      'ferry_files_failing_files{reason="unreadable"}': '1x599',
    }),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '200m',
        exp_samples: [{ labels: '{alertname="FerryFilesFailing"}', value: 1 }],
      },
    ],
  };
  const file = join(directory, 'tests.yaml');
  writeFileSync(file, stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, (stdout + stderr).slice(0, 2_000));
});

test('every alert has its section in the runbook with what it means, how to check and what to do, and no other is there', () => {
  const sections = RUNBOOK.split(/^## /m).slice(1);
  assert.deepEqual(
    sections.map((section) => section.split('\n', 1)[0]),
    ALERTS.map(({ alert }) => alert),
  );
  for (const section of sections)
    for (const part of ['**Means.**', '**Check.**', '**Do.**'])
      assert.ok(section.includes(part), section.slice(0, 40));
  assert.equal(runbookOf('FerryDiskHigh'), 'docs/runbook.md#ferrydiskhigh');
});
