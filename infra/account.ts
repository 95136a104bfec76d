// What must already be there in the AWS account, looked up before anything is made: the account itself, the cluster,
// and IAM's knowledge of the cluster's issuer. Whatever is not as the settings say is told at once, in sentences.
import { getCluster } from '@pulumi/aws/eks/getCluster.js';
import { getCallerIdentity } from '@pulumi/aws/getCallerIdentity.js';
import { getOpenIdConnectProvider } from '@pulumi/aws/iam/getOpenIdConnectProvider.js';
import { getBucket } from '@pulumi/aws/s3/getBucket.js';
import { FerryError, messageOf } from '../app/core/errors.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import type { RoleName } from './documents/policy.ts';
import { providerArn } from './documents/trust.ts';
import type { EksCluster } from './kubeconfig.ts';
import type { Identity } from './workload-role.ts';

export interface Account {
  readonly identity: Identity;
  /** Absent when the settings lead to the cluster by a kubeconfig's context. */
  readonly cluster?: EksCluster;
}

export interface Cluster extends EksCluster {
  readonly arn: string;
  /** Absent when the cluster has none. */
  readonly issuer: string | undefined;
}

/** The questions that AWS answers; each rejects where there is no such thing, or no answer. */
export interface Lookups {
  callerAccount(): Promise<string>;
  cluster(name: string): Promise<Cluster>;
  /** What tokens of this OIDC provider may be made for. */
  audiences(arn: string): Promise<readonly string[]>;
  /** Resolves when the bucket is there and these credentials may see it. */
  bucket(name: string): Promise<void>;
}

const AUDIENCE = 'sts.amazonaws.com';

export function awsLookups(region: string): Lookups {
  return {
    callerAccount: async () => (await getCallerIdentity({})).accountId,
    async cluster(name) {
      const found = await getCluster({ name });
      return {
        name,
        region,
        arn: found.arn,
        endpoint: found.endpoint,
        certificateAuthority: found.certificateAuthorities[0]?.data ?? '',
        issuer: found.identities[0]?.oidcs[0]?.issuer || undefined,
      };
    },
    audiences: async (arn) => (await getOpenIdConnectProvider({ arn })).clientIdLists,
    bucket: async (name) => void (await getBucket({ bucket: name })),
  };
}

/** @throws FerryError `config` with everything that is missing or different. */
export async function lookUp(settings: TargetSettings, role: RoleName, ask: Lookups): Promise<Account> {
  const problems: string[] = [];
  const { cluster: name, region, kubeContext, oidcIssuer, webIdentity } = settings;
  const account = await answer(ask.callerAccount());
  if ('error' in account)
    throw refused([
      `AWS does not say whose credentials these are: ${account.error}. Sign in first (\`aws sts get-caller-identity\` must answer), or set AWS_PROFILE.`,
    ]);
  if (account.value !== role.account)
    problems.push(
      `These credentials belong to account ${account.value}, and ferry:role-arn names a role of account ${role.account}. Sign in to that account, or mend the ARN.`,
    );
  const bucket = await answer(ask.bucket(settings.bucket));
  // Not found is as it should be before the first time.
  if ('error' in bucket && /\b(301|403)\b/.test(bucket.error))
    problems.push(
      `The bucket ${settings.bucket} belongs to somebody else, or lies in another region than ${region}: ${bucket.error}. Bucket names are shared by all the world: write another ferry:bucket.`,
    );
  if (name === undefined && kubeContext === undefined)
    problems.push(
      'Nothing leads to the cluster. Write ferry:cluster (an EKS cluster), or ferry:kube-context.',
    );
  if (webIdentity === 'pod-identity' && name === undefined)
    problems.push('Pod Identity belongs to an EKS cluster, and none is named. Write ferry:cluster.');
  const cluster = name === undefined ? undefined : await answer(ask.cluster(name));
  if (cluster !== undefined && 'error' in cluster)
    problems.push(
      `There is no EKS cluster ${name} in ${region} that these credentials may see: ${cluster.error}. \`aws eks list-clusters --region ${region}\` lists them.`,
    );
  const found = cluster !== undefined && 'value' in cluster ? cluster.value : undefined;

  if (webIdentity === 'pod-identity') {
    if (problems.length > 0 || found === undefined) throw refused(problems);
    return {
      identity: { by: 'pod-identity', cluster: found.name, clusterArn: found.arn },
      ...way(kubeContext, found),
    };
  }
  const issuer = issuerOf(oidcIssuer, found, name, problems);
  if (issuer !== undefined) problems.push(...(await issuerProblems(role, issuer, name, ask)));
  if (problems.length > 0 || issuer === undefined) throw refused(problems);
  return { identity: { by: 'irsa', issuer }, ...way(kubeContext, found) };
}

function issuerOf(
  written: string | undefined,
  cluster: Cluster | undefined,
  name: string | undefined,
  problems: string[],
): string | undefined {
  if (written !== undefined) {
    if (cluster?.issuer !== undefined && cluster.issuer !== written)
      problems.push(
        `ferry:oidc-issuer is ${written}, and the cluster ${cluster.name} has ${cluster.issuer}. Leave the setting out, or name the cluster that is meant.`,
      );
    return written;
  }
  if (name === undefined)
    problems.push(
      'Whose tokens the role trusts is not known. Write ferry:cluster (its issuer is looked up), or ferry:oidc-issuer.',
    );
  else if (cluster !== undefined && cluster.issuer === undefined)
    problems.push(
      `The cluster ${name} has no OIDC issuer, so no role can trust its service accounts. Write ferry:oidc-issuer, or ferry:web-identity: pod-identity.`,
    );
  return cluster?.issuer;
}

async function issuerProblems(
  role: RoleName,
  issuer: string,
  name: string | undefined,
  ask: Lookups,
): Promise<string[]> {
  const arn = providerArn(role, issuer);
  const audiences = await answer(ask.audiences(arn));
  if ('error' in audiences)
    return [
      `IAM does not know the issuer ${issuer} (${arn}: ${audiences.error}). Once per cluster: \`eksctl utils associate-iam-oidc-provider --cluster ${name ?? 'NAME'} --approve\`.`,
    ];
  if (audiences.value.includes(AUDIENCE)) return [];
  return [
    `IAM takes tokens of ${issuer} for ${audiences.value.join(', ') || 'nobody'} and not for ${AUDIENCE}. Add it: \`aws iam add-client-id-to-open-id-connect-provider --client-id ${AUDIENCE} --open-id-connect-provider-arn ${arn}\`.`,
  ];
}

function way(kubeContext: string | undefined, cluster: Cluster | undefined): { cluster?: EksCluster } {
  return kubeContext === undefined && cluster !== undefined ? { cluster } : {};
}

async function answer<T>(asked: Promise<T>): Promise<{ value: T } | { error: string }> {
  try {
    return { value: await asked };
  } catch (error) {
    return { error: innermost(messageOf(error)) };
  }
}

/** A provider's error comes in several layers and lines; the last of them says what AWS said. */
function innermost(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (lines.at(-1) ?? message).replace(/[.:]+$/, '');
}

function refused(problems: readonly string[]): FerryError {
  return new FerryError(
    'config',
    `The account is not as the settings say, nothing was made:\n\n${problems.map((problem) => `  ${problem}\n`).join('\n')}\n`,
    'Mend the above and run the same again.',
  );
}
