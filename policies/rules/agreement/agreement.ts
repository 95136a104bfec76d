// What the YAML says of the account agrees with what the account is told: a typing error between two tools is found
// before anything is deployed.
import type { RoleInReview } from '../../iam/places.ts';
import { understood, valuesOf } from '../iam-rule.ts';
import { flagOf, type Manifests, type Pod, podsOf, uploaderOf } from '../kube.ts';
import type { Found, Rule, RuleText } from '../rule.ts';

export interface Deployed {
  readonly manifests: Manifests;
  readonly role: RoleInReview;
}

const ROLE = 'eks.amazonaws.com/role-arn';

function agreement(text: RuleText, check: (pod: Pod, role: RoleInReview) => string[]): Rule<Deployed> {
  return {
    ...text,
    check: ({ manifests, role }) =>
      podsOf(manifests).flatMap((pod) =>
        uploaderOf(pod) === undefined
          ? []
          : check(pod, role).map((what): Found => ({ object: pod.object, what })),
      ),
  };
}

const sameRole = agreement(
  {
    name: 'agree-role',
    protectsFrom: 'a pod that asks for another role than the one that was made',
    severity: 'high',
    remedy: `Let the annotation ${ROLE} of the service account name the role.`,
    reference: 'https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  },
  ({ manifests, spec }, role) => {
    const account = manifests.objects.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === spec.serviceAccountName,
    );
    const named = account?.metadata.annotations[ROLE];
    return named === undefined || named === role.arn ? [] : [`it takes ${named}, the role is ${role.arn}`];
  },
);

const sameAccount = agreement(
  {
    name: 'agree-service-account',
    protectsFrom: 'a role that trusts another pod than the one deployed',
    severity: 'high',
    remedy: 'Let the trust name the namespace and the service account of the pod.',
    reference: 'https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  },
  ({ namespace, spec }, role) => {
    const read = understood(role);
    if (typeof read === 'string') return [];
    const wanted = [namespace, spec.serviceAccountName ?? 'default'];
    const trusted = read.trust.statements.flatMap((statement) => {
      const sub = statement.conditions.find(({ key }) => key.endsWith(':sub'))?.values ?? [];
      const one = (name: string) =>
        valuesOf(statement, 'StringEquals', `aws:RequestTag/kubernetes-${name}`) ?? [];
      return [
        ...sub.map((value) => value.replace('system:serviceaccount:', '')),
        ...one('namespace').flatMap((space) => one('service-account').map((name) => `${space}:${name}`)),
      ];
    });
    return trusted.includes(wanted.join(':'))
      ? []
      : [`the pod is ${wanted.join(':')}, the role trusts ${trusted.join(', ') || 'none'}`];
  },
);

const sameBucket = agreement(
  {
    name: 'agree-bucket',
    protectsFrom: 'an uploader that writes where it may not, or where nothing guards its files',
    severity: 'high',
    remedy: 'Let --to name the bucket and the prefix of the policies.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html',
  },
  (pod, { bucket, prefix }) => {
    const uploader = uploaderOf(pod);
    const to = uploader && flagOf(uploader, 'to');
    const wanted = `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`;
    return to === wanted ? [] : [`it writes to ${to}, the policies are about ${wanted}`];
  },
);

const sameRegion = agreement(
  {
    name: 'agree-region',
    protectsFrom: 'an uploader that asks another region than that of its bucket and key',
    severity: 'medium',
    remedy: 'Let --region name the region of the bucket.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html',
  },
  (pod, role) => {
    const uploader = uploaderOf(pod);
    const region = uploader && flagOf(uploader, 'region');
    return region === role.region ? [] : [`it asks ${region}, the bucket is in ${role.region}`];
  },
);

export const AGREEMENT_RULES: readonly Rule<Deployed>[] = [sameRole, sameAccount, sameBucket, sameRegion];
