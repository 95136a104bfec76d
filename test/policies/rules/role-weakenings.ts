// Every way a role's documents may become worse, made by machine, statement by statement.
import { drop, type Path, put, set, type Weakening } from '../mutation.ts';

const ISSUER = 'oidc.eks.eu-central-1.amazonaws.com/id/ABC';
const BUCKET = 'arn:aws:s3:::acme-ferry';

/** Of `fullRole` of sample.ts. */
export function roleWeakenings(): Weakening[] {
  return [...identityWeakenings(), ...trustWeakenings(), ...refusalWeakenings(), ...foreignWeakenings()];
}

function identityWeakenings(): Weakening[] {
  const statement = (index: number): Path => ['identity', 'Statement', index];
  const added = (name: string, extra: Record<string, unknown>, ...rules: string[]): Weakening => ({
    name: `grant more: ${name}`,
    rules,
    weaken: (copy) =>
      put(copy, ['identity', 'Statement', 3], {
        Sid: 'More',
        Effect: 'Allow',
        Resource: [`${BUCKET}/site-1/*`],
        ...extra,
      }),
  });
  const through = { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } };
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
      `${BUCKET}/*`,
      `${BUCKET}/site-1*`,
      `${BUCKET}*`,
      `${BUCKET}-2/site-1/*`,
      'arn:aws:s3:::*/site-1/*',
    ].map((resource) =>
      set('write resource', [...statement(0), 'Resource'], [resource], 'iam-named-resources'),
    ),
    ...['*', 'arn:aws:s3:::*', `${BUCKET}-2`].map((resource) =>
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
        put(copy, [...statement(0), 'NotResource'], [`${BUCKET}-2/*`]);
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
    ...['*', 'site-1*', '', 'site-*/*', 'other/*']
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
        put(copy, [...statement(1), 'Condition', 'StringLikeIfExists'], { 's3:prefix': 'site-1/*' });
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

function trustWeakenings(): Weakening[] {
  const grant: Path = ['trust', 'Statement', 0];
  const equals: Path = [...grant, 'Condition', 'StringEquals'];
  const sub = 'system:serviceaccount:ferry:file-writer';
  return [
    drop('aud', [...equals, `${ISSUER}:aud`], 'trust-exact'),
    drop('sub', [...equals, `${ISSUER}:sub`], 'trust-exact'),
    drop('conditions', [...grant, 'Condition'], 'trust-exact'),
    ...['system:serviceaccount:*:*', 'system:serviceaccount:ferry:*', 'system:*', '*'].map((value) =>
      set('sub', [...equals, `${ISSUER}:sub`], value, 'trust-exact'),
    ),
    set('sub', [...equals, `${ISSUER}:sub`], [sub, 'system:serviceaccount:ferry:other'], 'trust-exact'),
    set('aud', [...equals, `${ISSUER}:aud`], ['sts.amazonaws.com', 'vault'], 'trust-exact'),
    set('aud', [...equals, `${ISSUER}:aud`], 'vault', 'trust-exact'),
    ...['StringLike', 'StringEqualsIgnoreCase', 'StringEqualsIfExists', 'StringNotEquals'].map((operator) =>
      set(
        'operator',
        [...grant, 'Condition'],
        { [operator]: { [`${ISSUER}:aud`]: 'sts.amazonaws.com', [`${ISSUER}:sub`]: sub } },
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
      `arn:aws:iam::999999999999:oidc-provider/${ISSUER}`,
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
function refusalWeakenings(): Weakening[] {
  const named = [
    ['bucket-tls', 0],
    ['bucket-tls-version', 1],
    ['bucket-no-overwriting', 2],
    ['bucket-one-writer', 3],
    ['bucket-no-deleting', 4],
    ['bucket-one-way-in', 5],
  ] as const;
  const of = (index: number): Path => ['bucketPolicy', 'Statement', index];
  return [
    ...named.flatMap(([rule, index]) => [
      drop(`refusal ${index}`, of(index), rule),
      set(`refusal ${index}`, [...of(index), 'Principal'], { AWS: 'arn:aws:iam::999999999999:root' }, rule),
      set(`refusal ${index}`, [...of(index), 'Resource'], [`${BUCKET}-2`, `${BUCKET}-2/*`], rule),
      set(`refusal ${index}`, [...of(index), 'Action'], ['s3:GetBucketLocation'], rule),
      set(
        `refusal ${index}`,
        [...of(index), 'Condition'],
        { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
        rule,
      ),
    ]),
    set('tls of objects alone', [...of(0), 'Resource'], [`${BUCKET}/*`], 'bucket-tls'),
    set('tls of the bucket alone', [...of(0), 'Resource'], [BUCKET], 'bucket-tls'),
    set('tls of reading alone', [...of(0), 'Action'], ['s3:Get*'], 'bucket-tls'),
    set(
      'tls the other way',
      [...of(0), 'Condition'],
      { Null: { 'aws:SecureTransport': 'true' } },
      'bucket-tls',
    ),
    set(
      'tls version',
      [...of(1), 'Condition', 'NumericLessThan', 's3:TlsVersion'],
      '1.1',
      'bucket-tls-version',
    ),
    set(
      'parts refused',
      [...of(2), 'Condition'],
      { Null: { 's3:if-none-match': 'true' } },
      'bucket-no-overwriting',
    ),
    set(
      'conditional writes refused',
      [...of(2), 'Condition', 'Null', 's3:if-none-match'],
      'false',
      'bucket-no-overwriting',
    ),
    set('one write', [...of(3), 'Action'], ['s3:PutObject'], 'bucket-one-writer'),
    set(
      'all writers but one',
      [...of(3), 'Condition'],
      { StringEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/x' } },
      'bucket-one-writer',
    ),
    set(
      'writers alike',
      [...of(3), 'Condition'],
      { StringNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/ferry*' } },
      'bucket-one-writer',
    ),
    set('versions', [...of(4), 'Action'], ['s3:DeleteObject'], 'bucket-no-deleting'),
    set(
      'but administrators',
      [...of(4), 'Condition'],
      { StringNotLike: { 'aws:PrincipalArn': '*administrator' } },
      'bucket-no-deleting',
    ),
    set(
      'but the writer',
      [...of(4), 'Condition'],
      { StringNotEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/ferry' } },
      'bucket-no-deleting',
    ),
    set(
      'way',
      [...of(5), 'Condition', 'StringNotEquals', 'aws:SourceVpce'],
      ['vpce-0123456789abcdef0', 'vpce-0ffffffffffffffff'],
      'bucket-one-way-in',
    ),
    set(
      'writing by any way',
      [...of(5), 'Action'],
      ['s3:GetObject', 's3:GetObjectVersion', 's3:RestoreObject'],
      'bucket-one-way-in',
    ),
    ...['*', { AWS: 'arn:aws:iam::999999999999:root' }].map((Principal) =>
      set(
        'a grant',
        ['bucketPolicy', 'Statement', 6],
        { Sid: 'Open', Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: `${BUCKET}/*` },
        'bucket-grants-nothing',
      ),
    ),
  ];
}

/** What is not understood is not taken for good. */
function foreignWeakenings(): Weakening[] {
  const write: Path = ['identity', 'Statement', 0];
  return [
    set('variable', [...write, 'Resource'], [`${BUCKET}/\${aws:username}/*`], 'iam-understood'),
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
