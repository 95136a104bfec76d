// One decision about one request, from every document that has a say, with the statement and the value that made it.
// Order and unions as documented for one account and across accounts, without organizations and session policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { type ConditionAnswer, type RequestContext, testCondition } from './conditions.ts';
import type { PolicyRead, PrincipalPattern, StatementRead } from './document.ts';
import { matchesAction, matchesArn } from './patterns.ts';

export interface Caller {
  readonly type: 'AWS' | 'Federated' | 'Service';
  /** A role's or user's ARN, a provider's ARN, or a service's name. */
  readonly value: string;
  /** Twelve digits; undefined for services and federated identities. */
  readonly account: string | undefined;
}

export interface Request {
  readonly caller: Caller;
  readonly action: string;
  /** Its ARN, or `*` for actions that know no resource. */
  readonly resource: string;
  /** The account that owns the resource. */
  readonly resourceAccount: string;
  readonly context: RequestContext;
}

/** The documents with a say. An absent boundary bounds nothing; without an identity policy nothing is granted by one. */
export interface Documents {
  readonly identity?: PolicyRead | undefined;
  readonly boundary?: PolicyRead | undefined;
  /** `unknown`: it is not ours to read; it is taken to allow, so that "denied" holds whatever it says. */
  readonly resource?: PolicyRead | 'unknown' | undefined;
}

export interface Decision {
  readonly outcome: 'allowed' | 'allowed-if' | 'denied';
  /** A sentence: which document and statement decided, and by which value. */
  readonly because: string;
  /** For `allowed-if`: what must hold, and what must not, of the keys that were left open. */
  readonly conditions: readonly string[];
}

interface Applies {
  readonly statement: StatementRead;
  readonly by: PrincipalPattern | undefined;
  /** Empty: for certain. */
  readonly open: readonly string[];
}

/** Whether a statement speaks of the request, or the first thing that it does not match. */
export function applies(statement: StatementRead, request: Request): Applies | string {
  const { actions, otherActions, resources, otherResources, principals } = statement;
  if (actions.some((pattern) => matchesAction(pattern, request.action)) === otherActions)
    return `${statement.name} is about ${otherActions ? 'other actions than ' : ''}${actions.join(', ')}`;
  if (resources?.some((pattern) => matchesArn(pattern, request.resource)) === otherResources)
    return `${statement.name} is about ${otherResources ? 'other resources than ' : ''}${resources.join(', ')}`;
  const by = principals?.find((principal) => isCaller(principal, request.caller));
  if (principals !== undefined && by === undefined)
    return `${statement.name} is about ${principals.map(({ value }) => value).join(', ')}`;
  const answers = statement.conditions.map((test) => testCondition(test, request.context));
  const failed = answers.find(({ truth }) => truth === 'no');
  if (failed !== undefined) return `${statement.name} needs ${failed.because}`;
  return { statement, by, open: answers.filter(isOpen).map(withoutFinding) };
}

function isOpen({ truth }: ConditionAnswer): boolean {
  return truth === 'maybe';
}

function withoutFinding({ because }: ConditionAnswer): string {
  return because.replace(/: left open$/, '');
}

function isCaller(principal: PrincipalPattern, caller: Caller): boolean {
  if (principal.type === '*') return true;
  if (principal.type !== caller.type) return false;
  return principal.value === caller.value || isAccount(principal, caller);
}

function isAccount({ value }: PrincipalPattern, { account }: Caller): boolean {
  return (
    account !== undefined &&
    (value === account || /^arn:[a-z-]+:iam::(\d{12}):root$/.exec(value)?.[1] === account)
  );
}

interface Side {
  readonly allows: readonly Applies[];
  readonly denies: readonly Applies[];
  /** Why each statement that allows says nothing here. */
  readonly misses: readonly string[];
}

function sideOf(policy: PolicyRead, request: Request): Side {
  const allows: Applies[] = [];
  const denies: Applies[] = [];
  const misses: string[] = [];
  for (const statement of policy.statements) {
    const found = applies(statement, request);
    if (typeof found === 'string') {
      if (statement.effect === 'Allow') misses.push(found);
    } else (statement.effect === 'Allow' ? allows : denies).push(found);
  }
  // What allows without a condition comes first, then what leaves least open.
  allows.sort((one, other) => one.open.length - other.open.length);
  return { allows, denies, misses };
}

const said = (policy: PolicyRead, { statement }: Applies): string =>
  `${statement.name} of the ${policy.kind} policy`;

/** Every policy that denies without a condition left open wins; then each side that must allow is asked. */
export function decide(documents: Documents, request: Request): Decision {
  const { identity, boundary } = documents;
  const resource = documents.resource === 'unknown' ? undefined : documents.resource;
  const unless: string[] = [];
  const sides = new Map<PolicyRead, Side>();
  for (const policy of [identity, boundary, resource]) {
    if (policy === undefined) continue;
    const side = sideOf(policy, request);
    sides.set(policy, side);
    for (const found of side.denies) {
      if (found.open.length === 0) return denied(`${said(policy, found)} denies it`);
      unless.push(`not (${found.open.join(' and ')}), by ${found.statement.name}`);
    }
  }
  const grants = (policy: PolicyRead | undefined): readonly Applies[] =>
    policy === undefined ? [] : (sides.get(policy)?.allows ?? []);
  const silence = (policy: PolicyRead | undefined, kind: string): string => {
    if (policy === undefined) return `there is no ${kind} policy`;
    const misses = sides.get(policy)?.misses ?? [];
    return `the ${kind} policy does not allow it: ${misses.length === 0 ? 'it allows nothing' : misses.join('; ')}`;
  };
  const allowed = (by: readonly [PolicyRead, Applies][], note = ''): Decision => {
    const conditions = [...new Set([...by.flatMap(([, found]) => found.open), ...unless])];
    const because = `${by.map(([policy, found]) => said(policy, found)).join(' and ')} ${by.length === 1 ? 'allows' : 'allow'} it${note}`;
    return { outcome: conditions.length === 0 ? 'allowed' : 'allowed-if', because, conditions };
  };

  const [byIdentity] = grants(identity);
  const [byBoundary] = grants(boundary);
  const bound: [PolicyRead, Applies][] = boundary && byBoundary ? [[boundary, byBoundary]] : [];
  const stopped = boundary !== undefined && byBoundary === undefined;
  const foreign = request.caller.account !== request.resourceAccount;
  const { caller } = request;

  // Only a grant to the caller itself, or to everybody, needs no identity policy; one to the account hands on to it.
  const byResource = grants(resource);
  const direct = byResource.find(({ by }) => by !== undefined && !isAccount(by, caller));
  if (resource !== undefined && direct !== undefined && (!foreign || caller.account === undefined)) {
    if (direct.by?.type === '*') return allowed([[resource, direct]]);
    if (stopped) return denied(silence(boundary, 'boundary'));
    return allowed([[resource, direct], ...bound]);
  }
  if (caller.account === undefined) return denied(silence(resource, resource?.kind ?? 'resource'));
  if (identity === undefined || byIdentity === undefined) return denied(silence(identity, 'identity'));
  if (stopped) return denied(silence(boundary, 'boundary'));
  const own: [PolicyRead, Applies][] = [[identity, byIdentity], ...bound];
  if (!foreign) {
    // A role's trust policy is asked even in its own account: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
    if (resource?.kind !== 'trust') return allowed(own);
    const [byTrust] = byResource;
    return byTrust === undefined
      ? denied(silence(resource, 'trust'))
      : allowed([...own, [resource, byTrust]]);
  }
  if (documents.resource === 'unknown') return allowed(own, ', if the other account does');
  const [byOther] = byResource;
  if (resource === undefined || byOther === undefined)
    return denied(silence(resource, resource?.kind ?? 'resource'));
  return allowed([...own, [resource, byOther]]);
}

function denied(because: string): Decision {
  return { outcome: 'denied', because, conditions: [] };
}
