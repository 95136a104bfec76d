// What every role may do, as a file that is committed (policies/allowed.json), and the difference between two such files.
import { z } from 'zod';
import { FerryError } from '../app/core/errors.ts';
import type { Reach, RoleRead } from './iam/reach.ts';

const granted = z.strictObject({
  action: z.string(),
  /** `s3/object`; `*` where the action knows no resource. */
  resource: z.string(),
  place: z.string(),
  because: z.string(),
  conditions: z.array(z.string()),
});
const role = z.strictObject({
  arn: z.string(),
  /** One sentence for each way in. */
  takenBy: z.array(z.string()),
  allowed: z.array(granted),
});
const record = z.record(z.string(), role);
const tagged = z.strictObject({
  /** Of git; null: no version is tagged yet. */
  tag: z.string().nullable(),
  /** As that version had it; null: it kept no record. */
  roles: record.nullable(),
});

export type Granted = z.infer<typeof granted>;
/** By target and role: `staging/ferry-staging`. */
export type AllowedRecord = z.infer<typeof record>;
export type TaggedRecord = z.infer<typeof tagged>;

export const NOTHING_TAGGED: TaggedRecord = { tag: null, roles: null };

/** @throws FerryError `config` for what is no such file */
export function readRecord(where: string, text: string): AllowedRecord {
  return parsed(record, where, text);
}

/** @throws FerryError `config` for what is no such file */
export function readTagged(where: string, text: string): TaggedRecord {
  return parsed(tagged, where, text);
}

function parsed<Value>(schema: z.ZodType<Value>, where: string, text: string): Value {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new FerryError('config', `${where} cannot be read: ${error.message}.`, 'npm run review:page.');
  }
}

export function textOf(value: AllowedRecord | TaggedRecord): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export interface RoleReach {
  readonly target: string;
  readonly read: RoleRead;
  readonly reach: Reach;
}

export function recordOf(roles: readonly RoleReach[]): AllowedRecord {
  const entries = roles.map(({ target, read, reach }): [string, AllowedRecord[string]] => {
    const { arn } = read.role;
    const takenBy = read.trust.statements.map(
      ({ effect, principals = [], actions, conditions }) =>
        `${effect} ${principals.map(({ value }) => value).join(', ')} with ${actions.join(', ')} where ${conditions
          .map(({ operator, key, values }) => `${operator} ${key} ${values.join(' or ')}`)
          .join(' and ')}`,
    );
    const allowed = reach.allowed.map(
      ({ action, resource, place, because, conditions }): Granted => ({
        action,
        resource,
        place,
        because,
        conditions: [...conditions],
      }),
    );
    return [roleKey(target, arn), { arn, takenBy, allowed: allowed.sort(inOrder) }];
  });
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

export function roleKey(target: string, arn: string): string {
  return `${target}/${arn.replace(/^.*:role\/(.*\/)?/, '')}`;
}

function inOrder(one: Granted, other: Granted): number {
  return sortKey(one) < sortKey(other) ? -1 : 1;
}

function sortKey({ action, place, resource, conditions }: Granted): string {
  return JSON.stringify([action, place, resource, conditions]);
}

export interface Difference {
  readonly change: 'gained' | 'lost' | 'changed';
  /** `staging/ferry-staging` */
  readonly role: string;
  readonly what: string;
  /** When it was allowed, and when it is: conditions, each way in one text. */
  readonly before: readonly string[];
  readonly now: readonly string[];
}

/** What a role gained, lost, or may under other conditions; its trust and its ARN count as well. */
export function differences(before: AllowedRecord, now: AllowedRecord): Difference[] {
  const [old, fresh] = [linesOf(before), linesOf(now)];
  return [...new Set([...old.keys(), ...fresh.keys()])].sort().flatMap((key): Difference[] => {
    const [was, is] = [old.get(key), fresh.get(key)];
    const { role, what } = was ?? is ?? { role: '', what: '' };
    const [one, two] = [was?.when ?? [], is?.when ?? []];
    if (was === undefined) return [{ change: 'gained', role, what, before: one, now: two }];
    if (is === undefined) return [{ change: 'lost', role, what, before: one, now: two }];
    return one.join('\n') === two.join('\n')
      ? []
      : [{ change: 'changed', role, what, before: one, now: two }];
  });
}

interface Line {
  readonly role: string;
  readonly what: string;
  readonly when: string[];
}

function linesOf(recorded: AllowedRecord): Map<string, Line> {
  const lines = new Map<string, Line>();
  const add = (role: string, what: string, when: string): void => {
    const key = JSON.stringify([role, what]);
    const line = lines.get(key) ?? { role, what, when: [] };
    line.when.push(when);
    lines.set(key, line);
  };
  for (const [role, { arn, takenBy, allowed }] of Object.entries(recorded)) {
    add(role, 'is', arn);
    for (const way of takenBy) add(role, 'can be taken', way);
    for (const { action, resource, place, conditions } of allowed)
      add(role, `${action} on ${place} (${resource})`, conditions.join('; ') || 'always');
  }
  for (const { when } of lines.values()) when.sort();
  return lines;
}
