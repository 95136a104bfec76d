// Every way a role's documents may become worse, made by machine, statement by statement.
import assert from 'node:assert/strict';
import type { RoleInReview } from '../../../policies/iam/places.ts';
import { drop, type Path, put, set, type Weakening } from '../mutation.ts';

/** What the weakenings are made of. */
interface Names {
  readonly issuer: string;
  /** Namespace and service account, as the token's subject. */
  readonly sub: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string;
  readonly role: string;
  /** Sids of the bucket policy, in its order. */
  readonly refusals: readonly string[];
  /** The refusal of other writers that is about this role's prefix. */
  readonly ownWriter: string;
}

/** Of a role by IRSA with a prefix, a key and a VPC endpoint. */
export function roleWeakenings(role: RoleInReview): Weakening[] {
  const [, issuer, sub] = /"([^"]+):sub":"([^"]+)"/.exec(JSON.stringify(role.trust)) ?? [];
  // The shape that infra/documents gives it.
  const { Statement: statements } = role.bucketPolicy as { Statement: { Sid: string }[] };
  const names: Names = {
    issuer: issuer ?? assert.fail('no subject'),
    sub: sub ?? assert.fail('no subject'),
    bucket: `arn:aws:s3:::${role.bucket}`,
    prefix: role.prefix ?? assert.fail('no prefix'),
    endpoint: role.vpcEndpoint ?? assert.fail('no endpoint'),
    role: role.arn,
    refusals: statements.map(({ Sid }) => Sid),
    ownWriter:
      statements.find((each) => /Writers/.test(each.Sid) && JSON.stringify(each).includes(role.arn))?.Sid ??
      assert.fail('no refusal of other writers'),
  };
  return [
    ...identityWeakenings(names),
    ...trustWeakenings(names),
    ...refusalWeakenings(names),
    ...foreignWeakenings(names),
  ];
}

function identityWeakenings({ bucket, prefix, endpoint }: Names): Weakening[] {
  const statement = (index: number): Path => ['identity', 'Statement', index];
  const added = (name: string, extra: Record<string, unknown>, ...rules: string[]): Weakening => ({
    name: `grant more: ${name}`,
    rules,
    weaken: (copy) =>
      put(copy, ['identity', 'Statement', 3], {
        Sid: 'More',
        Effect: 'Allow',
        Resource: [`${bucket}/${prefix}/*`],
        ...extra,
      }),
  });
  const through = { StringEquals: { 'aws:SourceVpce': endpoint } };
  const more = (action: string, rule: string): Weakening =>
    added(action, { Action: [action], ...(action.startsWith('s3:') ? { Condition: through } : {}) }, rule);
  return [
    ...['s3:*', 's3:Put*', 's3:Put?bject', '*'].map((action) =>
      set(
        'write action',
        [...statement(0), 'Action'],
        ['s3:AbortMultipartUpload', action],
        'iam-named-actions',
      ),
    ),
    set('list action', [...statement(1), 'Action'], ['s3:List*', 's3:ListBucket'], 'iam-named-actions'),
    added('NotAction', { NotAction: ['iam:*'], Condition: through }, 'iam-named-actions'),
    ...[
      '*',
      `${bucket}/*`,
      `${bucket}/${prefix}*`,
      `${bucket}*`,
      `${bucket}-2/${prefix}/*`,
      `arn:aws:s3:::*/${prefix}/*`,
    ].map((resource) =>
      set('write resource', [...statement(0), 'Resource'], [resource], 'iam-named-resources'),
    ),
    ...['*', 'arn:aws:s3:::*', `${bucket}-2`].map((resource) =>
      set('list resource', [...statement(1), 'Resource'], [resource], 'iam-named-resources'),
    ),
    ...['*', 'arn:aws:kms:*:111122223333:key/*', 'arn:aws:kms:eu-central-1:999999999999:key/x'].map(
      (resource) => set('key', [...statement(2), 'Resource'], [resource], 'iam-named-resources'),
    ),
    {
      name: 'NotResource',
      rules: ['iam-named-resources'],
      weaken: (copy) => {
        put(copy, [...statement(0), 'Resource'], undefined);
        put(copy, [...statement(0), 'NotResource'], [`${bucket}-2/*`]);
      },
    },
    ...['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTagging', 's3:GetObjectAttributes'].map(
      (action) => more(action, 'iam-cannot-read'),
    ),
    ...['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:DeleteBucket', 's3:PutLifecycleConfiguration'].map(
      (action) => more(action, 'iam-cannot-delete'),
    ),
    ...['s3:PutObjectAcl', 's3:PutBucketPolicy', 's3:PutObjectTagging', 'iam:PassRole', 'sts:AssumeRole'].map(
      (action) => more(action, 'iam-cannot-grant'),
    ),
    ...['s3:ListBucketVersions', 's3:ListMultipartUploadParts', 's3:RestoreObject', 'sqs:SendMessage'].map(
      (action) => more(action, 'iam-least-actions'),
    ),
    set('write action', [...statement(0), 'Action'], ['s3:PutObject'], 'iam-least-actions'),
    drop('prefix of the listing', [...statement(1), 'Condition', 'StringLike'], 'iam-list-below'),
    ...['*', `${prefix}*`, '', `${prefix.slice(0, -1)}*/*`, 'other/*']
      .filter(Boolean)
      .map((value) =>
        set(
          'prefix of the listing',
          [...statement(1), 'Condition', 'StringLike', 's3:prefix'],
          value,
          'iam-list-below',
        ),
      ),
    {
      name: 'prefix of the listing, if it exists',
      rules: ['iam-list-below'],
      weaken: (copy) => {
        put(copy, [...statement(1), 'Condition', 'StringLike'], undefined);
        put(copy, [...statement(1), 'Condition', 'StringLikeIfExists'], { 's3:prefix': `${prefix}/*` });
      },
    },
    drop('way of the key', [...statement(2), 'Condition'], 'iam-key-through-s3'),
    ...['s3.us-east-1.amazonaws.com', 'ec2.eu-central-1.amazonaws.com'].map((value) =>
      set(
        'way of the key',
        [...statement(2), 'Condition', 'StringEquals', 'kms:ViaService'],
        value,
        'iam-key-through-s3',
      ),
    ),
    set(
      'way of the key',
      [...statement(2), 'Condition'],
      { StringLike: { 'kms:ViaService': '*' } },
      'iam-key-through-s3',
    ),
    drop('way of the writer', [...statement(0), 'Condition'], 'iam-one-way-in'),
    drop('way of the listing', [...statement(1), 'Condition', 'StringEquals'], 'iam-one-way-in'),
    set(
      'way of the writer',
      [...statement(0), 'Condition', 'StringEquals', 'aws:SourceVpce'],
      'vpce-1',
      'iam-one-way-in',
    ),
    set(
      'way of the writer',
      [...statement(0), 'Condition'],
      { StringEqualsIfExists: through.StringEquals },
      'iam-one-way-in',
    ),
  ];
}

function trustWeakenings({ issuer, sub }: Names): Weakening[] {
  const grant: Path = ['trust', 'Statement', 0];
  const equals: Path = [...grant, 'Condition', 'StringEquals'];
  return [
    drop('aud', [...equals, `${issuer}:aud`], 'trust-exact'),
    drop('sub', [...equals, `${issuer}:sub`], 'trust-exact'),
    drop('conditions', [...grant, 'Condition'], 'trust-exact'),
    ...['system:serviceaccount:*:*', sub.replace(/[^:]*$/, '*'), 'system:*', '*'].map((value) =>
      set('sub', [...equals, `${issuer}:sub`], value, 'trust-exact'),
    ),
    set('sub', [...equals, `${issuer}:sub`], [sub, `${sub}-other`], 'trust-exact'),
    set('aud', [...equals, `${issuer}:aud`], ['sts.amazonaws.com', 'vault'], 'trust-exact'),
    set('aud', [...equals, `${issuer}:aud`], 'vault', 'trust-exact'),
    ...['StringLike', 'StringEqualsIgnoreCase', 'StringEqualsIfExists', 'StringNotEquals'].map((operator) =>
      set(
        'operator',
        [...grant, 'Condition'],
        { [operator]: { [`${issuer}:aud`]: 'sts.amazonaws.com', [`${issuer}:sub`]: sub } },
        'trust-exact',
      ),
    ),
    ...[
      '*',
      { AWS: '*' },
      { AWS: 'arn:aws:iam::999999999999:root' },
      { AWS: 'arn:aws:iam::111122223333:root' },
      { Service: 'ec2.amazonaws.com' },
    ].map((principal) => set('principal', [...grant, 'Principal'], principal, 'trust-inside')),
    set(
      'principal',
      [...grant, 'Principal', 'Federated'],
      `arn:aws:iam::999999999999:oidc-provider/${issuer}`,
      'trust-inside',
    ),
    ...['sts:*', '*', 'sts:AssumeRole', 'sts:TagSession'].map((action) =>
      set('call', [...grant, 'Action'], ['sts:AssumeRoleWithWebIdentity', action], 'trust-inside'),
    ),
    set(
      'another trust',
      ['trust', 'Statement', 1],
      { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
      'trust-inside',
    ),
  ];
}

/** What each refusal of the bucket policy is there for, and how it may fail to refuse. */
function refusalWeakenings({ bucket, role, endpoint, refusals, ownWriter }: Names): Weakening[] {
  const named = [
    ['bucket-tls', 'RefusePlainConnections'],
    ['bucket-tls-version', 'RefuseOldTls'],
    ['bucket-no-overwriting', 'RefuseOverwriting'],
    ['bucket-one-writer', ownWriter],
    ['bucket-no-deleting', 'RefuseDeleting'],
    ['bucket-one-way-in', 'RefuseOtherWays'],
  ] as const;
  const of = (sid: string): Path => {
    assert.ok(refusals.includes(sid), sid);
    return ['bucketPolicy', 'Statement', refusals.indexOf(sid)];
  };
  return [
    ...named.flatMap(([rule, sid]) => [
      drop(`${sid}`, of(sid), rule),
      set(`${sid}`, [...of(sid), 'Principal'], { AWS: 'arn:aws:iam::999999999999:root' }, rule),
      set(`${sid}`, [...of(sid), 'Resource'], [`${bucket}-2`, `${bucket}-2/*`], rule),
      set(`${sid}`, [...of(sid), 'Action'], ['s3:GetBucketLocation'], rule),
      set(`${sid}`, [...of(sid), 'Condition'], { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }, rule),
    ]),
    set('tls of objects alone', [...of('RefusePlainConnections'), 'Resource'], [`${bucket}/*`], 'bucket-tls'),
    set('tls of the bucket alone', [...of('RefusePlainConnections'), 'Resource'], [bucket], 'bucket-tls'),
    set('tls of reading alone', [...of('RefusePlainConnections'), 'Action'], ['s3:Get*'], 'bucket-tls'),
    set(
      'tls the other way',
      [...of('RefusePlainConnections'), 'Condition'],
      { Null: { 'aws:SecureTransport': 'true' } },
      'bucket-tls',
    ),
    set(
      'tls version',
      [...of('RefuseOldTls'), 'Condition', 'NumericLessThan', 's3:TlsVersion'],
      '1.1',
      'bucket-tls-version',
    ),
    set(
      'parts refused',
      [...of('RefuseOverwriting'), 'Condition'],
      { Null: { 's3:if-none-match': 'true' } },
      'bucket-no-overwriting',
    ),
    set(
      'conditional writes refused',
      [...of('RefuseOverwriting'), 'Condition', 'Null', 's3:if-none-match'],
      'false',
      'bucket-no-overwriting',
    ),
    set('one write', [...of(ownWriter), 'Action'], ['s3:PutObject'], 'bucket-one-writer'),
    set(
      'all writers but one',
      [...of(ownWriter), 'Condition'],
      { StringEquals: { 'aws:PrincipalArn': `${role}x` } },
      'bucket-one-writer',
    ),
    set(
      'writers alike',
      [...of(ownWriter), 'Condition'],
      { StringNotLike: { 'aws:PrincipalArn': role.replace(/role\/.*/, 'role/ferry*') } },
      'bucket-one-writer',
    ),
    set('versions', [...of('RefuseDeleting'), 'Action'], ['s3:DeleteObject'], 'bucket-no-deleting'),
    set(
      'but administrators',
      [...of('RefuseDeleting'), 'Condition'],
      { StringNotLike: { 'aws:PrincipalArn': '*administrator' } },
      'bucket-no-deleting',
    ),
    set(
      'but the writer',
      [...of('RefuseDeleting'), 'Condition'],
      { StringNotEquals: { 'aws:PrincipalArn': role } },
      'bucket-no-deleting',
    ),
    set(
      'way',
      [...of('RefuseOtherWays'), 'Condition', 'StringNotEquals', 'aws:SourceVpce'],
      [endpoint, 'vpce-0ffffffffffffffff'],
      'bucket-one-way-in',
    ),
    set(
      'writing by any way',
      [...of('RefuseOtherWays'), 'Action'],
      ['s3:GetObject', 's3:GetObjectVersion', 's3:RestoreObject'],
      'bucket-one-way-in',
    ),
    ...['*', { AWS: 'arn:aws:iam::999999999999:root' }].map((Principal) =>
      set(
        'a grant',
        ['bucketPolicy', 'Statement', refusals.length],
        { Sid: 'Open', Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: `${bucket}/*` },
        'bucket-grants-nothing',
      ),
    ),
  ];
}

/** What is not understood is not taken for good. */
function foreignWeakenings({ bucket }: Names): Weakening[] {
  const write: Path = ['identity', 'Statement', 0];
  return [
    set('variable', [...write, 'Resource'], [`${bucket}/\${aws:username}/*`], 'iam-understood'),
    set(
      'set qualifier',
      [...write, 'Condition'],
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } },
      'iam-understood',
    ),
    set('old version', ['identity', 'Version'], '2008-10-17', 'iam-understood'),
    set('NotPrincipal', ['bucketPolicy', 'Statement', 0, 'NotPrincipal'], { AWS: '*' }, 'iam-understood'),
    drop('trust', ['trust', 'Statement'], 'iam-understood'),
  ];
}
