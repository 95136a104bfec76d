// Findings that somebody answers for, until a day: an expired waiver and one that waives nothing fail like a finding.
import { z } from 'zod';
import { FerryError } from '../app/core/errors.ts';
import { matchesText } from './iam/patterns.ts';
import type { Finding } from './rules/rule.ts';

const waiver = z.strictObject({
  rule: z.string().describe('Name of the rule'),
  object: z
    .string()
    .regex(/^[a-z0-9-]+\//, 'begins with no target: staging/…')
    .describe('What it finds it at, the target first; * is any text'),
  reason: z.string().min(20).describe('Why that is acceptable here'),
  owner: z.string().min(2).describe('Who answers for it'),
  expires: z.iso.date().describe('The last day it holds, UTC'),
});
const waiverFile = z.strictObject({ waivers: z.array(waiver) });

export type Waiver = z.infer<typeof waiver>;

export interface Judged {
  /** Findings that no waiver covers. */
  readonly open: readonly Finding[];
  readonly waived: readonly { readonly finding: Finding; readonly waiver: Waiver }[];
  /** One sentence for each waiver that is expired, unused, or of a rule that does not exist. */
  readonly faulty: readonly string[];
}

/** @throws FerryError `config` when a waiver lacks a reason, an owner or an expiry. */
export function readWaivers(file: string, value: unknown): Waiver[] {
  const { data, error } = waiverFile.safeParse(value);
  if (data !== undefined) return data.waivers;
  const problems = error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
  throw new FerryError(
    'config',
    `${file} cannot be used: ${problems.join('; ')}.`,
    'Each waiver has rule, object, reason, owner and expires (YYYY-MM-DD).',
  );
}

/** Those that may be of one of these targets; every finding is named `<target>/…`. */
export function waiversOf(waivers: readonly Waiver[], targets: readonly string[]): Waiver[] {
  return waivers.filter(({ object }) => targets.some((one) => object.startsWith(`${one}/`)));
}

/** @param day today in UTC, `2026-11-20` */
export function judge(
  found: readonly Finding[],
  waivers: readonly Waiver[],
  day: string,
  ruleNames: readonly string[],
): Judged {
  const covers = (each: Waiver, finding: Finding): boolean =>
    each.rule === finding.rule.name && matchesText(each.object, finding.object);
  const holding = waivers.filter(({ expires }) => expires >= day);
  const open: Finding[] = [];
  const waived: { finding: Finding; waiver: Waiver }[] = [];
  for (const finding of found) {
    const by = holding.find((each) => covers(each, finding));
    if (by === undefined) open.push(finding);
    else waived.push({ finding, waiver: by });
  }
  const faulty = waivers.flatMap((each) => {
    const name = `The waiver of ${each.rule} for ${each.object} (${each.owner})`;
    if (!ruleNames.includes(each.rule)) return [`${name} names no rule.`];
    if (each.expires < day) return [`${name} has expired on ${each.expires}.`];
    return found.some((finding) => covers(each, finding)) ? [] : [`${name} waives nothing: remove it.`];
  });
  return { open, waived, faulty };
}
