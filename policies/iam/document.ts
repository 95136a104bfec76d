// Reads a policy document as IAM would, and refuses loudly whatever this evaluator does not know: a document that is
// understood in part must not be called proved.
import { type ConditionTest, readConditions } from './conditions.ts';
import { partsOf } from './patterns.ts';
import { objectOf, refuse, textsOf } from './refuse.ts';

/** Where a document hangs, which decides what may stand in it. */
export type PolicyKind = 'identity' | 'boundary' | 'resource' | 'trust';

export interface PrincipalPattern {
  readonly type: 'AWS' | 'Federated' | 'Service' | '*';
  readonly value: string;
}

export interface StatementRead {
  /** Its Sid, or its place: `statement 2`. */
  readonly name: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: readonly PrincipalPattern[] | undefined;
  readonly actions: readonly string[];
  /** NotAction: everything but `actions`. */
  readonly otherActions: boolean;
  /** Undefined in trust policies, which speak of their own role. */
  readonly resources: readonly string[] | undefined;
  readonly otherResources: boolean;
  readonly conditions: readonly ConditionTest[];
}

export interface PolicyRead {
  readonly kind: PolicyKind;
  readonly statements: readonly StatementRead[];
}

const ELEMENTS = [
  'Sid',
  'Effect',
  'Principal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

/** @throws FerryError `config` for what is no policy, or for what this evaluator does not know. */
export function readPolicy(kind: PolicyKind, document: unknown): PolicyRead {
  const where = `${kind} policy`;
  const policy = objectOf(document, where);
  for (const name of Object.keys(policy))
    if (!['Version', 'Id', 'Statement'].includes(name)) refuse(where, `${name} is unknown`);
  if (policy.Version !== '2012-10-17') refuse(where, `Version is ${String(policy.Version)}, not 2012-10-17`);
  const list: readonly unknown[] = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  if (list.length === 0) refuse(where, 'it has no statement');
  const statements = list.map((statement, index) => readStatement(kind, statement, index + 1));
  const names = new Set<string>();
  for (const { name } of statements) {
    if (names.has(name)) refuse(where, `two statements are called ${name}`);
    names.add(name);
  }
  return { kind, statements };
}

function readStatement(kind: PolicyKind, value: unknown, place: number): StatementRead {
  const statement = objectOf(value, `${kind} policy, statement ${place}`);
  const name =
    typeof statement.Sid === 'string' && statement.Sid !== '' ? statement.Sid : `statement ${place}`;
  const where = `${kind} policy, ${name}`;
  for (const element of Object.keys(statement))
    if (!ELEMENTS.includes(element)) refuse(where, `${element} is unknown`);
  const { Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny')
    refuse(where, `Effect is ${String(effect)}, neither Allow nor Deny`);
  const [actions, otherActions] = eitherOf(statement, 'Action', 'NotAction', where);
  if (actions === undefined) refuse(where, 'it has neither Action nor NotAction');
  for (const action of actions)
    if (action !== '*' && !/^[a-z0-9-]+:[A-Za-z0-9*?]+$/.test(action))
      refuse(where, `${action} is no action`);
  const [resources, otherResources] = eitherOf(statement, 'Resource', 'NotResource', where);
  if (kind === 'trust' ? resources !== undefined : resources === undefined)
    refuse(
      where,
      kind === 'trust' ? 'a trust policy has no Resource' : 'it has neither Resource nor NotResource',
    );
  for (const resource of resources ?? []) checkResource(resource, where);
  const onResource = kind === 'resource' || kind === 'trust';
  if (onResource !== 'Principal' in statement)
    refuse(where, onResource ? 'it has no Principal' : 'a Principal may stand in resource policies only');
  return {
    name,
    effect,
    principals: onResource ? readPrincipals(statement.Principal, where) : undefined,
    actions,
    otherActions,
    resources,
    otherResources,
    conditions: readConditions(statement.Condition, where),
  };
}

function checkResource(resource: string, where: string): void {
  if (resource === '*') return;
  const parts = partsOf(resource);
  if (parts.length < 6 || parts[0] !== 'arn') refuse(where, `${resource} is no ARN`);
  if (/[*?]/.test(parts[2] ?? '')) refuse(where, `${resource} has a wildcard for its service`);
}

function readPrincipals(value: unknown, where: string): PrincipalPattern[] {
  if (value === '*') return [{ type: '*', value: '*' }];
  const principals = objectOf(value, `${where}, Principal`);
  const found = Object.entries(principals).flatMap(([type, names]): PrincipalPattern[] => {
    if (type !== 'AWS' && type !== 'Federated' && type !== 'Service')
      refuse(where, `Principal ${type} is unknown`);
    return textsOf(names, `${where}, Principal`).map((name) => {
      if (name === '*' && type === 'AWS') return { type: '*', value: '*' };
      if (/[*?]/.test(name)) refuse(where, `Principal ${name} has a wildcard, which IAM does not expand`);
      return { type, value: name };
    });
  });
  if (found.length === 0) refuse(where, 'its Principal is empty');
  return found;
}

function eitherOf(
  statement: Readonly<Record<string, unknown>>,
  name: string,
  opposite: string,
  where: string,
): [values: string[] | undefined, opposite: boolean] {
  if (name in statement && opposite in statement) refuse(where, `it has both ${name} and ${opposite}`);
  if (name in statement) return [textsOf(statement[name], `${where}, ${name}`), false];
  if (opposite in statement) return [textsOf(statement[opposite], `${where}, ${opposite}`), true];
  return [undefined, false];
}
