// A document that the evaluator does not understand in full is not reviewed at all.
import type { RoleInReview } from '../../iam/places.ts';
import { understood } from '../iam-rule.ts';
import type { Rule } from '../rule.ts';

export const iamUnderstood: Rule<RoleInReview> = {
  name: 'iam-understood',
  protectsFrom: 'a proof of something else than what is deployed',
  severity: 'high',
  remedy: 'Write the document without what is named, or teach policies/iam its meaning, with cases.',
  reference: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html',
  check: (role) => {
    const read = understood(role);
    return typeof read === 'string' ? [{ object: role.arn, what: read.replace(/\.$/, '') }] : [];
  },
};
