// Roles and their documents as rules see them: understood by the evaluator, and asked what they allow.
import { FerryError } from '../../app/core/errors.ts';
import type { PolicyRead, StatementRead } from '../iam/document.ts';
import type { RoleInReview } from '../iam/places.ts';
import { type RoleRead, readRole } from '../iam/reach.ts';
import type { Found, Rule, RuleText } from './rule.ts';

/** A rule about one role; a document that is not understood is the finding of `iam-understood` alone. */
export function roleRule(
  text: RuleText,
  check: (read: RoleRead) => string[],
  concerns: (role: RoleInReview) => boolean = () => true,
): Rule<RoleInReview> {
  return {
    ...text,
    concerns,
    check: (role) => {
      const read = understood(role);
      if (typeof read === 'string') return [];
      return check(read).map((what): Found => ({ object: role.arn, what }));
    },
  };
}

/** The documents read, or why they cannot be. */
export function understood(role: RoleInReview): RoleRead | string {
  try {
    return readRole(role);
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    return error.message;
  }
}

export function bucketArnOf({ role }: RoleRead): string {
  return `arn:${role.arn.split(':')[1]}:s3:::${role.bucket}`;
}

/** Every object below the prefix, as a pattern. */
export function objectsArnOf(read: RoleRead): string {
  const { prefix } = read.role;
  return `${bucketArnOf(read)}/${prefix === undefined ? '' : `${prefix}/`}*`;
}

export function grantsOf(policy: PolicyRead): StatementRead[] {
  return policy.statements.filter(({ effect }) => effect === 'Allow');
}

/** The values of the tests with this operator and key; undefined when there is none. */
export function valuesOf(
  { conditions }: StatementRead,
  operator: string,
  key: string,
): readonly string[] | undefined {
  return conditions.find((test) => test.operator === operator && test.key.toLowerCase() === key.toLowerCase())
    ?.values;
}

/** Named one by one: a wildcard is the finding of its own rule. */
export function isExact(name: string): boolean {
  return !/[*?]/.test(name);
}

/** A rule against actions that match, each named in full: wildcards are the finding of their own rule. */
export function forbidden(
  name: string,
  protectsFrom: string,
  remedy: string,
  reference: string,
  pattern: RegExp,
): Rule<RoleInReview> {
  return roleRule({ name, protectsFrom, severity: 'high', remedy, reference }, ({ identity }) =>
    grantsOf(identity).flatMap((grant) =>
      grant.actions
        .filter((action) => !grant.otherActions && isExact(action) && pattern.test(action))
        .map((action) => `${grant.name} allows ${action}`),
    ),
  );
}
