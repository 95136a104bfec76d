// The page: each control's status is evaluated, and the difference to the last tagged version is told in full.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { reachOf, readRole } from '../../policies/iam/reach.ts';
import { idsOf, reviewPage } from '../../policies/page.ts';
import { type AllowedRecord, differences, NOTHING_TAGGED, recordOf } from '../../policies/record.ts';
import type { TargetInReview } from '../../policies/target.ts';
import type { Waiver } from '../../policies/waivers.ts';
import { inWords } from '../../policies/words.ts';
import { put } from './mutation.ts';
import { PLAIN, roleOf, targetWith } from './program.ts';

const ACTIONS = [
  {
    action: 's3:PutObject',
    level: 'Write',
    resources: [
      {
        name: 's3/object',
        arn: 'arn:$[Partition]:s3:::$[BucketName]/$[ObjectName]'.replace(/\[(\w+)\]/g, '{$1}'),
      },
    ],
  },
];

let target: TargetInReview;
before(async () => {
  target = await targetWith(PLAIN);
});

function recorded(of: TargetInReview): AllowedRecord {
  const read = readRole(roleOf(of));
  return recordOf([{ target: of.name, read, reach: reachOf(read, ACTIONS) }]);
}

function page(of: TargetInReview, tagged = NOTHING_TAGGED, waivers: readonly Waiver[] = []): string {
  const record = recorded(of);
  return reviewPage({
    factsVersion: '1',
    actions: 1,
    targets: [of],
    roles: [],
    recorded: record,
    tagged,
    waivers,
  });
}

/** With the first of these steps below the pod changed. */
function weakened(): TargetInReview {
  const copy = structuredClone(target);
  const index = copy.yaml.objects.findIndex(({ kind }) => kind === 'Deployment');
  const path = ['yaml', 'objects', index, 'spec', 'template', 'spec', 'containers', 0, 'securityContext'];
  put(copy, [...path, 'capabilities'], { add: ['NET_ADMIN'], drop: ['ALL'] });
  return copy;
}

test('a control that fails is shown as failed, by its rule and by its id, with the finding and what to do', () => {
  assert.match(page(target), /\| `capabilities` \| pass \|/);
  const text = page(weakened());
  assert.match(text, /\| `capabilities` \| \*\*fail\*\* \|/);
  assert.match(text, /\| Pod Security restricted: capabilities \| \*\*fail\*\* \| `capabilities` \|/);
  assert.match(
    text,
    /### What fails\n\n.*\n.*\n\| `capabilities` \| `test\/Deployment\/file-writer` \| .* \| .+\. \|/,
  );
  assert.match(
    text,
    /\| test \| `arn:aws:iam::111122223333:role\/ferry`, .* \| \d+ of \d+ \| 0 \| \*\*1\*\* \|/,
  );
  assert.match(text, /\| `privilege` \| pass \|/);
});

test('a finding that is waived is no pass', () => {
  const waiver: Waiver = {
    rule: 'capabilities',
    object: 'test/*',
    reason: 'A reason that is long enough to be one.',
    owner: 'platform',
    expires: '2020-01-01',
  };
  assert.match(page(weakened(), NOTHING_TAGGED, [waiver]), /\| `capabilities` \| waived \|/);
});

test('a rule about nothing that is there is not applicable, and no pass', () => {
  const text = page(target);
  for (const rule of ['iam-key-through-s3', 'iam-one-way-in', 'bucket-one-way-in'])
    assert.match(text, new RegExp(`\\| \`${rule}\` \\| n/a \\|`));
});

test('conditions are said in plain words, and those without such words by their keys', () => {
  assert.equal(inWords('StringLike s3:prefix site-1/*'), 'for names that begin with `site-1/`');
  assert.equal(inWords('not (Bool aws:SecureTransport false), by NoPlain'), 'over TLS (NoPlain)');
  assert.equal(
    inWords('not (StringEquals a:b c or d and Null e:f true), by Rule'),
    'unless `a:b` is `c or d` and `e:f` is absent (Rule)',
  );
});

test('ids are told from pages', () => {
  assert.deepEqual(idsOf('Security Hub S3.2, S3.3; CIS AWS 3.0.0/2.1.1; https://example.com/a'), [
    'Security Hub S3.2',
    'Security Hub S3.3',
    'CIS AWS 3.0.0/2.1.1',
  ]);
  assert.deepEqual(
    idsOf('https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (seccomp)'),
    ['Pod Security restricted: seccomp'],
  );
});

test('without a tag the page says so; with one that kept no record, too', () => {
  assert.match(page(target), /No version is tagged yet/);
  assert.match(page(target, { tag: 'v1', roles: null }), /v1 kept no record/);
});

test('the table names what was gained, lost and changed since the tag, a trust included', () => {
  const now = recorded(target);
  assert.match(page(target, { tag: 'v1', roles: now }), /Nothing that a role may do.* changed since v1/);
  const before = structuredClone(now);
  const [role] = Object.values(before);
  assert.ok(role);
  role.takenBy = ['Allow somebody else'];
  const [put, ...others] = role.allowed;
  assert.ok(put && others.length === 0);
  role.allowed = [
    { ...put, conditions: ['StringEquals aws:SourceVpce vpce-1'] },
    { ...put, action: 's3:GetObject', conditions: [] },
  ];
  assert.deepEqual(
    differences(before, now).map(({ change, what }) => `${change} ${what}`),
    [
      'changed can be taken',
      'lost s3:GetObject on own data (s3/object)',
      'changed s3:PutObject on own data (s3/object)',
    ],
  );
  assert.deepEqual(
    differences(now, before).map(({ change }) => change),
    ['changed', 'gained', 'changed'],
  );
  const text = page(target, { tag: 'v1', roles: before });
  assert.match(
    text,
    /\| lost \| test\/ferry \| `s3:GetObject on own data \(s3\/object\)` \| always \| not allowed \|/,
  );
  assert.match(text, /\| changed \| .* \| through `vpce-1` \| over TLS \(RefusePlainConnections\); /);
});
