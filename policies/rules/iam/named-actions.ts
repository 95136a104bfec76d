// Actions are named one by one.
import { grantsOf, isExact, roleRule } from '../iam-rule.ts';

export const namedActions = roleRule(
  {
    name: 'iam-named-actions',
    protectsFrom: 'permissions that nobody asked for, and those AWS adds next year',
    severity: 'high',
    remedy: 'Name each action in full; no wildcard, no NotAction.',
    reference: 'Security Hub IAM.21, IAM.1',
  },
  ({ identity }) =>
    grantsOf(identity).flatMap(({ name, actions, otherActions }) => [
      ...(otherActions ? [`${name} allows everything but ${actions.join(', ')}`] : []),
      ...actions.filter((action) => !isExact(action)).map((action) => `${name} allows ${action}`),
    ]),
);
