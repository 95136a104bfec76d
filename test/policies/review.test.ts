// The review of what is delivered: nothing found that is not waived, and waivers that hold, are used, and end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { FerryError } from '../../app/core/errors.ts';
import { type Files, synthesize, writeFiles } from '../../manifests/synth.ts';
import { review } from '../../policies/review.ts';
import type { Finding } from '../../policies/rules/rule.ts';
import { RULE_NAMES } from '../../policies/target.ts';
import { judge, readWaivers } from '../../policies/waivers.ts';
import { deliveredTarget, ROOT } from '../manifests/targets.ts';
import { tempDir } from '../support/temp.ts';

const WAIVERS = join(ROOT, 'policies/waivers.yaml');
const files = new Map<string, Files>();
before(async () => {
  for (const name of ['minikube', 'staging'] as const)
    files.set(name, await synthesize(deliveredTarget(name)));
});

function dist(directory: string, change: (text: string) => string = (text) => text): string {
  const folder = join(directory, 'dist');
  mkdirSync(folder);
  for (const [name, made] of files)
    writeFiles(folder, name, new Map([...made].map(([file, text]) => [file, change(text)])));
  return folder;
}

const OPTIONS = { settings: ROOT, waivers: WAIVERS, targets: [] };
const today = (): string => new Date().toISOString().slice(0, 10);

test('what is delivered has no finding that nobody answers for, today; staging needs no waiver', async (t) => {
  const { judged } = await review({ ...OPTIONS, dist: dist(await tempDir(t)), day: today() });
  assert.deepEqual(
    judged.open.map(({ rule, object, what }) => `${rule.name} ${object} ${what}`),
    [],
  );
  assert.deepEqual(judged.faulty, []);
  assert.ok(judged.waived.length > 0);
  for (const { finding } of judged.waived) assert.match(finding.object, /^minikube\//);
});

test('the command names the finding, what to do, and ends with 6; without YAML with 2', async (t) => {
  const directory = await tempDir(t);
  const made = dist(directory, (text) => text.replaceAll('runAsNonRoot: true', 'runAsNonRoot: false'));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'policies/review.ts'), ...args], { encoding: 'utf8' });
  const found = run('--dist', made, 'staging');
  assert.equal(found.status, 6, found.stderr);
  assert.match(found.stdout, /high non-root: staging\/Deployment\/file-writer: writer may run as root\./);
  assert.match(found.stdout, /Set runAsNonRoot true/);
  const missing = run('--dist', directory, 'nowhere');
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /npm run synth/);
});

test('a folder of YAML that no settings belong to is refused', async (t) => {
  const directory = await tempDir(t);
  mkdirSync(join(directory, 'dist/stray'), { recursive: true });
  writeFileSync(join(directory, 'dist/stray/a.yaml'), 'kind: Pod\nmetadata: {name: a}\n');
  await assert.rejects(
    review({ ...OPTIONS, dist: join(directory, 'dist'), day: today() }),
    (error) => error instanceof FerryError && /Pulumi\.stray\.yaml does not exist/.test(error.message),
  );
});

test('rules of the bucket are asked about what the program would make, whatever the YAML says', async (t) => {
  const directory = await tempDir(t);
  const made = dist(directory);
  const settings = readFileSync(join(ROOT, 'Pulumi.staging.yaml'), 'utf8');
  cpSync(join(ROOT, 'events.staging.yaml'), join(directory, 'events.staging.yaml'));
  writeFileSync(join(directory, 'Pulumi.staging.yaml'), `${settings}  ferry:expire-days: 30\n`);
  const options = { ...OPTIONS, dist: made, settings: directory, targets: ['staging'], day: today() };
  const { judged, rules } = await review(options);
  assert.deepEqual(
    judged.open.map(({ rule, object }) => `${rule.name} ${object}`),
    ['bucket-keeps-data staging/bucket acme-ferry-staging'],
  );
  assert.equal(rules, RULE_NAMES.length);
});

test('YAML that was written before the settings changed disagrees with what Pulumi would make', async (t) => {
  const old = dist(await tempDir(t), (text) =>
    text.replaceAll('file-writer@sha256:0000', 'file-writer@sha256:1111'),
  );
  const { judged } = await review({ ...OPTIONS, dist: old, targets: ['staging'], day: today() });
  assert.deepEqual(
    judged.open.map(({ rule, object }) => `${rule.name} ${object}`),
    ['agree-image staging/Deployment/file-writer'],
  );
});

const rule = { name: 'a-rule', protectsFrom: 'x', severity: 'high', remedy: 'y', reference: 'z' } as const;
const finding: Finding = { rule, object: 'staging/Deployment/writer', what: 'it is so' };
const waiver = {
  rule: 'a-rule',
  object: 'staging/*',
  reason: 'A reason that is long enough to be one.',
  owner: 'platform',
  expires: '2026-11-21',
};

test('a waiver holds up to its last day, and fails from the next one on', () => {
  assert.equal(judge([finding], [waiver], '2026-11-21', ['a-rule']).open.length, 0);
  const late = judge([finding], [waiver], '2026-11-22', ['a-rule']);
  assert.deepEqual(late.open, [finding]);
  assert.match(String(late.faulty), /a-rule for staging\/\* \(platform\) has expired on 2026-11-21/);
});

test('a waiver that waives nothing fails, as does one of a rule that does not exist', () => {
  const elsewhere = { ...waiver, object: 'minikube/*' };
  const unused = judge([finding], [elsewhere], '2026-11-21', ['a-rule']);
  assert.deepEqual(unused.open, [finding]);
  assert.match(String(unused.faulty), /waives nothing/);
  assert.match(String(judge([], [waiver], '2026-11-21', ['other']).faulty), /names no rule/);
});

test('a waiver without reason, owner or day is refused by its name', () => {
  const given = parse(readFileSync(WAIVERS, 'utf8')) as { waivers: Record<string, unknown>[] };
  assert.ok(readWaivers('w.yaml', given).length > 0);
  for (const name of ['rule', 'object', 'reason', 'owner', 'expires']) {
    const rest = Object.fromEntries(Object.entries(waiver).filter(([key]) => key !== name));
    assert.throws(
      () => readWaivers('w.yaml', { waivers: [rest] }),
      (error) => error instanceof FerryError && error.message.includes(`waivers.0.${name}`),
    );
  }
});

test('a waiver is for one target: for all of them at once it is refused', () => {
  for (const object of ['*', '*/Deployment/writer', 'staging'])
    assert.throws(
      () => readWaivers('w.yaml', { waivers: [{ ...waiver, object }] }),
      (error) =>
        error instanceof FerryError && /waivers\.0\.object: begins with no target/.test(error.message),
      object,
    );
});

test('a file of waivers that is no YAML of waivers is refused', async (t) => {
  const path = join(await tempDir(t), 'w.yaml');
  writeFileSync(path, 'waiver: []\n');
  assert.throws(() => readWaivers(path, parse(readFileSync(path, 'utf8'))), FerryError);
});
