// `ferry events status`: one cell for each type and day, from listings alone.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addDays, dayOf } from '../../app/events/days.ts';
import { statusCells, statusText } from '../../app/events/status.ts';
import { type StoredUnit, unitName } from '../../app/events/units.ts';
import { ferry } from '../support/cli.ts';
import { API_KEY, docsOf } from '../support/events/api.ts';
import { createEventsRig } from '../support/events/rig.ts';

function sealed(revision: number, facts: Record<string, string> | undefined): StoredUnit {
  return { sealed: { revision, seal: { key: 'k', sizeBytes: 1, etag: 'e' }, facts }, failed: undefined };
}

test('missing, sealed with its count, revised, open, failed with its reason: each is told apart', () => {
  const days = ['2026-11-14', '2026-11-15', '2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19'];
  const stored: StoredUnit[] = [
    sealed(1, { records: '0' }),
    sealed(1, { records: '12345' }),
    sealed(3, { records: '7' }),
    sealed(1, undefined),
    sealed(1, { records: '4', open: 'yes' }),
    { sealed: undefined, failed: { at: '2026-11-20T07:00:00.000Z', reason: 'http-401' } },
  ];
  const states = new Map(
    days.map((day, index) => [unitName({ type: 'charge', day }), [stored[index] ?? assert.fail()]]),
  );
  const cells = statusCells(states, ['charge'], '2026-11-14', '2026-11-20');
  assert.deepEqual(
    cells.map(({ state, records, reason }) => [state, records, reason]),
    [
      ['sealed', 0, null],
      ['sealed', 12_345, null],
      ['revised', 7, null],
      ['sealed', null, null],
      ['open', 4, null],
      ['failed', null, 'http-401'],
      ['missing', null, null],
    ],
  );
  const text = statusText(cells, 's3://bucket/raw');
  assert.match(text, /^2026-11-15 {2}12,345$/m);
  assert.match(text, /^2026-11-16 {2}7 \(revision 3\)$/m);
  assert.match(text, /^2026-11-19 {2}failed: http-401$/m);
  assert.match(text, /2 of 7 are not sealed/);
});

test('a unit is as good as the store that has least of it', () => {
  const states = new Map([
    ['charge/2026-11-14', [sealed(1, { records: '1' }), { sealed: undefined, failed: undefined }]],
  ]);
  assert.equal(statusCells(states, ['charge'], '2026-11-14', '2026-11-14')[0]?.state, 'missing');
});

test('the commands: dry-run writes nothing, a run seals, status shows it as text and JSON, without key or API', async (t) => {
  const rig = await createEventsRig(t);
  const yesterday = addDays(dayOf(Date.now()), -1);
  rig.api.docs.set(`charge/${yesterday}`, docsOf('charge', yesterday, 210));
  rig.api.fault = ({ type }) => (type === 'refund' ? { status: 403 } : undefined);
  const config = join(rig.directory, 'events.yaml');
  writeFileSync(
    config,
    `url: ${rig.api.url}\nsave_data_locally: true\nlookback: 2\nevents: [charge, refund]\n`,
  );
  const options = { cwd: rig.directory, env: { API_KEY } };
  const dry = await ferry(['events', '--config', config, '--dry-run'], options);
  assert.equal(dry.exit, 0, dry.stderr);
  assert.match(dry.stdout, /4 type-days would be pulled/);
  assert.equal(rig.api.asked.length, 0);
  const run = await ferry(['events', '--config', config], options);
  assert.equal(run.exit, 8, run.stdout);
  assert.match(run.stdout, /2 sealed, 2 failed: 210 records in .*; failed: refund .* \(http-403\)/);
  const [text, json] = await Promise.all([
    ferry(['events', 'status', '--config', config], { cwd: rig.directory }),
    ferry(['events', 'status', '--config', config, '--json'], { cwd: rig.directory }),
  ]);
  assert.match(text.stdout, new RegExp(`^${yesterday} +210 +failed: http-403$`, 'm'));
  const { days } = JSON.parse(json.stdout) as {
    days: { type: string; day: string; records: number | null }[];
  }; // printed by us
  assert.equal(days.length, 4);
  assert.equal(days.find(({ type, day }) => type === 'charge' && day === yesterday)?.records, 210);
});
