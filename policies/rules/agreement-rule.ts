// Rules across tools: the YAML that `kubectl apply` takes against what Pulumi tells the account and the cluster. A typing
// error between two tools is found before anything is deployed.
import { parse } from 'yaml';
import { z } from 'zod';
import type { RoleInReview } from '../iam/places.ts';
import type { BucketInReview } from './bucket-rule.ts';
import { understood, valuesOf } from './iam-rule.ts';
import {
  at,
  type Container,
  EVENTS_FILE,
  fileIn,
  flagOf,
  type Manifests,
  moverOf,
  type Pod,
  podsOf,
} from './kube.ts';
import type { Found, Rule, RuleText } from './rule.ts';

/** The sides that have to agree. */
export interface Sides {
  readonly yaml: Manifests;
  readonly program: Manifests;
  readonly roles: readonly RoleInReview[];
  readonly bucket: BucketInReview | undefined;
}

/** A pod of the YAML that moves data, and the role that it acts as. */
export interface Acting {
  readonly pod: Pod;
  readonly mover: Container;
  readonly role: RoleInReview;
  readonly sides: Sides;
}

/** Where a mover writes. */
export interface Goal {
  /** `s3://bucket/prefix` */
  readonly to: string | undefined;
  readonly region: string | undefined;
}

const eventsFile = z.looseObject({ s3_bucket: z.string(), s3_key: z.string().default('') });

/** By its flags; `ferry events` by its settings file and its environment. */
export function goalOf({ mover, pod }: Acting): Goal {
  const [command] = mover.args;
  if (command === 'files') return { to: flagOf(mover, 'to'), region: flagOf(mover, 'region') };
  const map = pod.spec.volumes.map((volume) => at(volume, 'configMap', 'name')).find((name) => name);
  const text = typeof map === 'string' ? fileIn(pod.manifests, map, EVENTS_FILE) : undefined;
  const file = text === undefined ? undefined : eventsFile.safeParse(parse(text)).data;
  const prefix = file?.s3_key.replace(/\/$/, '');
  return {
    to: file && `s3://${file.s3_bucket}${prefix ? `/${prefix}` : ''}`,
    region: mover.env.find(({ name }) => name === 'AWS_REGION')?.value,
  };
}

/** A rule about each pod that acts as a role. */
export function roleAgreement(text: RuleText, check: (acting: Acting) => string[]): Rule<Sides> {
  return {
    ...text,
    concerns: ({ roles }) => roles.length > 0,
    check: (sides) =>
      podsOf(sides.yaml).flatMap((pod) => {
        const mover = moverOf(pod);
        const role = roleOf(sides, pod);
        if (mover === undefined || role === undefined) return [];
        return check({ pod, mover, role, sides }).map((what): Found => ({ object: pod.object, what }));
      }),
  };
}

/** The role that trusts the pod; without one, the one that it should be. */
function roleOf({ roles }: Sides, pod: Pod): RoleInReview | undefined {
  return roles.find((role) => trustedBy(role).includes(accountOf(pod))) ?? roles[0];
}

/** `ferry:file-writer`, a namespace and a service account. */
export function accountOf({ namespace, spec }: Pod): string {
  return `${namespace}:${spec.serviceAccountName ?? 'default'}`;
}

/** The service accounts that a role trusts, by IRSA's subject or the tags of EKS Pod Identity. */
export function trustedBy(role: RoleInReview): string[] {
  const read = understood(role);
  if (typeof read === 'string') return [];
  return read.trust.statements.flatMap((statement) => {
    const sub = statement.conditions.find(({ key }) => key.endsWith(':sub'))?.values ?? [];
    const tags = (name: string): readonly string[] =>
      valuesOf(statement, 'StringEquals', `aws:RequestTag/kubernetes-${name}`) ?? [];
    return [
      ...sub.map((value) => value.replace('system:serviceaccount:', '')),
      ...tags('namespace').flatMap((space) => tags('service-account').map((name) => `${space}:${name}`)),
    ];
  });
}
