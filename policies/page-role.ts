// One role's part of the review: who takes it and from where, what it can do, what it provably cannot, and what its
// bucket refuses to everybody. Each claim is decided by the evaluator when the page is made.

import { accountOf } from './iam/places.ts';
import type { RoleRead, Values } from './iam/reach.ts';
import { decisionAt, type Reached } from './iam/reach.ts';
import type { RoleReach } from './record.ts';
import { trustedBy } from './rules/agreement-rule.ts';
import { refuses } from './rules/bucket-policy-rule.ts';
import { bucketArnOf, objectsArnOf } from './rules/iam-rule.ts';
import { code, inWords, table } from './words.ts';

/** What the few actions do that are granted, for readers who do not know their names. */
const DOES: Readonly<Record<string, string>> = {
  's3:PutObject': 'write an object, in parts as well',
  's3:AbortMultipartUpload': 'give up an upload that is not finished',
  's3:ListBucket': 'list names, sizes and dates',
  'kms:GenerateDataKey': 'have what is written encrypted',
  'kms:Decrypt': 'join the parts of a large upload',
};

export function roleSection({ target, read, reach }: RoleReach): string[] {
  const { role, trust } = read;
  const place = code(`${role.bucket}/${role.prefix === undefined ? '' : `${role.prefix}/`}`);
  const sorted = [...reach.allowed].sort((one, other) => (one.action < other.action ? -1 : 1));
  return [
    '',
    `## ${target}: the role of service account ${trustedBy(role).map(code).join(', ') || 'none'}`,
    '',
    `${code(role.arn)} writes to ${place}.`,
    '',
    '### Who can take it, and from where',
    '',
    ...trust.statements.flatMap(({ effect, principals = [], actions, conditions }) => [
      `- ${effect === 'Allow' ? 'Only' : 'Never'} ${principals.map(({ value }) => code(value)).join(', ')} by ${actions.map(code).join(', ')}, where${conditions.length === 0 ? ' nothing more is asked.' : ''}`,
      ...conditions.map(
        ({ operator, key, values }) => `  - ${inWords(`${operator} ${key} ${values.join(' or ')}`)}`,
      ),
    ]),
    role.vpcEndpoint === undefined
      ? '- Its credentials hold in any network. `ferry:vpc-endpoint` would bind them to one.'
      : `- Its credentials reach the data through ${code(role.vpcEndpoint)} only.`,
    '',
    '### What it can do',
    '',
    `Of ${reach.decisions.toLocaleString('en')} decisions ${reach.allowed.length} allow something. "Own data" is every object below ${place}, "own bucket" is ${code(role.bucket)}.`,
    '',
    ...table(
      ['It can', 'Action', 'Where', 'Granted by', 'Only'],
      sorted.map(({ action, resource, place: where, because, conditions }) => [
        DOES[action] ?? '**unknown to this page**',
        code(action),
        `${where} (${resource})`,
        because.replace(/ of the identity policy allows it$/, ''),
        conditions.map(inWords).join('; ') || '**always**',
      ]),
    ),
    '',
    '### What it provably cannot',
    '',
    ...cannot(read, reach.allowed).map(
      ([what, holds]) => `- ${holds ? `Cannot ${what}.` : `**Can ${what}.**`}`,
    ),
    '',
    '### What the bucket refuses, to administrators too',
    '',
    `Asked of a caller whose own policies allow everything, at ${place}:`,
    '',
    ...table(
      ['Somebody tries', 'The bucket policy'],
      tried(read).map(([what, refused, expected]) => {
        const said = refused ? 'refuses it' : 'lets it through';
        return [what, refused === expected ? said : `**${said}**`];
      }),
    ),
    '',
    'Who may change the bucket policy can lift all of that first; `pulumi preview --refresh` shows such a change.',
  ];
}

/** Claims about what is not reached, each decided by what is. */
function cannot(read: RoleRead, allowed: readonly Reached[]): [what: string, holds: boolean][] {
  const { prefix } = read.role;
  const account = accountOf(read.role);
  const none = (test: (each: Reached) => boolean): boolean => !allowed.some(test);
  const outside = ['own bucket, other prefix', 'other bucket', 'other account'];
  const never = (action: string, arn: string, values: Values): boolean =>
    decisionAt(read, action, { arn, account }, values).outcome === 'denied';
  const file = objectsArnOf(read).replace(/\*$/, 'file');
  const lists = (shown: string | null): boolean =>
    never('s3:ListBucket', bucketArnOf(read), { 's3:prefix': shown });
  const created = { 's3:ObjectCreationOperation': 'true', 's3:if-none-match': null };
  return [
    [
      'read an object, its tags or its versions',
      none(({ action }) => /^s3[a-z-]*:(Get|Select)/.test(action)),
    ],
    ['delete an object, a version or a bucket', none(({ action }) => /:Delete|:PutLifecycle/.test(action))],
    ['overwrite an object: a write that may replace one is refused', never('s3:PutObject', file, created)],
    [
      `write outside of its ${prefix === undefined ? 'bucket' : 'prefix'}`,
      none(({ level, place }) => level === 'Write' && outside.includes(place)),
    ],
    ...(prefix === undefined
      ? []
      : [
          [
            'list its bucket elsewhere: neither all of it nor another prefix',
            [null, '', `${prefix}`, `${prefix}0/`, 'other/'].every(lists),
          ] satisfies [string, boolean],
        ]),
    ['list other buckets', none(({ level, place }) => level === 'List' && place !== 'own bucket')],
    [
      'give anybody access: no action of permissions management',
      none(({ level }) => level === 'Permissions management'),
    ],
    ['take another role, or make keys', none(({ action }) => /^(sts|iam):/.test(action))],
    ['reach anything in another account', none(({ place }) => place === 'other account')],
    [
      read.role.kmsKey === undefined
        ? 'use any other service than S3'
        : 'use any other service than S3, and KMS for its key',
      none(({ action }) => !/^(s3|kms):/.test(action)),
    ],
  ];
}

/** Whether the bucket policy refuses it, and whether it should. */
function tried(read: RoleRead): [what: string, refused: boolean, expected: boolean][] {
  const { arn, vpcEndpoint } = read.role;
  const put = { action: 's3:PutObject', by: arn } as const;
  const get = (context: Values): boolean => refuses(read, { action: 's3:GetObject', context });
  return [
    ['reading without TLS', get({ 'aws:SecureTransport': 'false' }), true],
    ['reading over TLS 1.1', get({ 's3:TlsVersion': '1.1' }), true],
    ...(vpcEndpoint === undefined
      ? []
      : [
          ['reading by another way than the VPC endpoint', get({ 'aws:SourceVpce': null }), true] satisfies [
            string,
            boolean,
            boolean,
          ],
        ]),
    ['overwriting, as this role', refuses(read, { ...put, context: { 's3:if-none-match': null } }), true],
    ['writing, as an administrator', refuses(read, { action: 's3:PutObject' }), true],
    ['deleting an object, as an administrator', refuses(read, { action: 's3:DeleteObject' }), true],
    ['deleting a version, as an administrator', refuses(read, { action: 's3:DeleteObjectVersion' }), true],
    ['writing a new object, as this role', refuses(read, put), false],
    ['reading, as an administrator', get({}), false],
    [
      'changing the bucket policy, as an administrator (`pulumi up` does)',
      refuses(read, { action: 's3:PutBucketPolicy', on: 'bucket' }),
      false,
    ],
  ];
}
