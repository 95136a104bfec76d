// What is deployed holds every rule, and the page a reviewer reads says what is deployed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { placesOf } from '../../policies/iam/places.ts';
import { decisionAt } from '../../policies/iam/reach.ts';
import { differences, readRecord, roleKey } from '../../policies/record.ts';
import { taggedRecords } from '../../policies/tagged.ts';
import { targetFindings } from '../../policies/target.ts';
import { committedTagged, PAGE, RECORD, type Review, reviewNow } from '../../policies/write-page.ts';
import { ROOT } from '../manifests/targets.ts';
import { FULL, PLAIN, targetWith, type Variant } from './program.ts';

let now: Review;
before(async () => {
  now = await reviewNow(committedTagged());
});

const VARIANTS: readonly Variant[] = [
  {},
  PLAIN,
  FULL,
  { prefix: 'a/b', 'break-glass-role': 'arn:aws:iam::111122223333:role/break-glass' },
  { prefix: 'site-1', 'web-identity': 'pod-identity', monitoring: 'true' },
];

for (const variant of VARIANTS)
  test(`what the program declares for ${JSON.stringify(variant)} holds every rule`, async () => {
    const found = targetFindings(await targetWith(variant));
    assert.deepEqual(
      found.map(({ rule, object, what }) => `${rule.name}: ${object} ${what}`),
      [],
    );
  });

test('data that is told to expire breaks the rule that names it, and no other', async () => {
  const found = targetFindings(await targetWith({ ...PLAIN, 'expire-days': '3650' }));
  assert.deepEqual(
    found.map(({ rule, object }) => `${rule.name} ${object}`),
    ['bucket-keeps-data test/bucket acme-ferry'],
  );
});

test('policies/REVIEW.md is what `npm run review:page` writes now', () => {
  const { page } = now;
  assert.equal(readFileSync(PAGE, 'utf8'), page);
  for (const claim of [
    'Cannot read an object',
    'Cannot delete an object',
    'Cannot overwrite an object',
    'Cannot write outside of its prefix',
    'Cannot list its bucket elsewhere',
    'Cannot give anybody access',
  ])
    assert.ok(page.includes(claim), claim);
  assert.deepEqual(page.match(/\*\*.*?\*\*/g), null, 'what should not be so is said in bold');
});

test('each role may do exactly what policies/allowed.json says; a difference names the statement that decides', () => {
  const committed = readRecord(RECORD, readFileSync(RECORD, 'utf8'));
  const said = differences(committed, now.record).map(
    ({ change, role, what }) => `${role} ${change} ${what}: ${whyNow(role, what)}`,
  );
  assert.deepEqual(said, [], 'npm run review:page writes what is allowed now; look at what it changes');
  assert.deepEqual(committed, now.record);
});

/** The decision about `s3:PutObject on own data (s3/object)`. */
function whyNow(role: string, what: string): string {
  const [, action, name, resource] = /^(\S+) on (.+) \((.+)\)$/.exec(what) ?? [];
  const found = now.roles.find(({ target, read }) => roleKey(target, read.role.arn) === role);
  if (found === undefined || action === undefined) return 'see its trust';
  const kinds = now.facts.actions.find((fact) => fact.action === action)?.resources ?? [];
  const arn = kinds.find((kind) => kind.name === resource)?.arn;
  const place = placesOf(found.read.role, arn).find((each) => each.name === name);
  return place === undefined ? 'there is no such place' : decisionAt(found.read, action, place).because;
}

test('the difference of a role that lost a grant says by which statement it is denied', () => {
  const [key] = Object.keys(now.record);
  assert.match(
    whyNow(key ?? '', 's3:PutObject on own bucket, other prefix (s3/object)'),
    /^the identity policy does not allow it: WriteObjects is about other resources|WriteObjects is about /,
  );
});

test('the record of the last tagged version is that of a tag this clone knows, if it knows one', () => {
  const known = taggedRecords(ROOT);
  if (known.length === 0) return;
  const committed = committedTagged();
  assert.ok(
    known.some(({ tag }) => tag === committed.tag),
    `policies/allowed.tagged.json is of ${committed.tag}, the last tag is ${known[0]?.tag}: npm run review:page`,
  );
  const same = known.find(({ tag }) => tag === committed.tag);
  assert.deepEqual(committed, same);
});
