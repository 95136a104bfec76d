// Everything a role can reach: every action there is, on each kind of its resources, in each place, against identity
// policy, boundary, trust and bucket policy together. What the request brings along is left open, so "not reached" holds
// for every request, and "reached" comes with the conditions under which it is.
import { type Decision, type Documents, decide } from './decide.ts';
import { type PolicyRead, readPolicy } from './document.ts';
import type { ActionFact } from './facts.ts';
import { accountOf, type Place, type PlaceName, placesOf, type RoleInReview } from './places.ts';

export interface Reached {
  readonly action: string;
  readonly level: string;
  /** `s3/object`; `*` where the action knows no resource. */
  readonly resource: string;
  readonly place: PlaceName;
  readonly because: string;
  /** All must hold; empty: always. */
  readonly conditions: readonly string[];
}

export interface Reach {
  /** How many decisions were made. */
  readonly decisions: number;
  readonly allowed: readonly Reached[];
}

export interface RoleRead {
  readonly role: RoleInReview;
  readonly identity: PolicyRead;
  readonly boundary: PolicyRead | undefined;
  readonly trust: PolicyRead;
  readonly bucketPolicy: PolicyRead;
}

/** @throws FerryError `config` for documents that are not understood. */
export function readRole(role: RoleInReview): RoleRead {
  return {
    role,
    identity: readPolicy('identity', role.identity),
    boundary: role.boundary === undefined ? undefined : readPolicy('boundary', role.boundary),
    trust: readPolicy('trust', role.trust),
    bucketPolicy: readPolicy('resource', role.bucketPolicy),
  };
}

export function reachOf(read: RoleRead, actions: readonly ActionFact[]): Reach {
  const allowed = new Map<string, Reached>();
  const known = new Map<string, Place[]>();
  const places = (pattern: string | undefined): Place[] => {
    const name = pattern ?? '*';
    const found = known.get(name) ?? placesOf(read.role, pattern);
    known.set(name, found);
    return found;
  };
  let decisions = 0;
  for (const { action, level, resources } of actions) {
    const kinds = resources.length === 0 ? [{ name: '*', arn: undefined }] : resources;
    for (const kind of kinds)
      for (const place of places(kind.arn)) {
        decisions += 1;
        const { outcome, because, conditions } = decisionAt(read, action, place);
        if (outcome === 'denied') continue;
        const reached = { action, level, resource: kind.name, place: place.name, because, conditions };
        allowed.set(JSON.stringify([action, kind.name, place.name, conditions]), reached);
      }
  }
  return { decisions, allowed: [...allowed.values()] };
}

/** Keys of a request that are known; null: known to be absent. */
export type Values = Readonly<Record<string, string | null>>;

/** What the role may do there, whatever else the request brings along than `values`. */
export function decisionAt(
  read: RoleRead,
  action: string,
  place: Omit<Place, 'name'>,
  values: Values = {},
): Decision {
  const { role } = read;
  const account = accountOf(role);
  return decide(documentsAt(read, place), {
    caller: { type: 'AWS', value: role.arn, account },
    action,
    resource: place.arn,
    resourceAccount: place.account,
    context: {
      values: { 'aws:PrincipalArn': role.arn, 'aws:PrincipalAccount': account, ...values },
      open: true,
    },
  });
}

function documentsAt(read: RoleRead, { arn, account }: Omit<Place, 'name'>): Documents {
  const { role, identity, boundary, trust, bucketPolicy } = read;
  const partition = role.arn.split(':')[1];
  const bucket = `arn:${partition}:s3:::${role.bucket}`;
  if (arn === bucket || arn.startsWith(`${bucket}/`)) return { identity, boundary, resource: bucketPolicy };
  if (arn === role.arn) return { identity, boundary, resource: trust };
  return { identity, boundary, resource: account === accountOf(role) ? undefined : 'unknown' };
}
