// How a container comes to the store and to its credentials: a role by the cluster's webhook, by a token of the pod's own
// or by Pod Identity; keys of the S3 server in the cluster; and the endpoint of either.
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import { S3_NAME, S3_PORT } from './labels.ts';
import type { TargetSettings } from './settings/settings.ts';

const TOKEN_DIR = '/var/run/secrets/ferry/sts';
const TOKEN = 'sts-token';
/** What STS expects a token to be made for. */
const STS_AUDIENCE = 'sts.amazonaws.com';
const TOKEN_SECONDS = 3_600;

type Variables = NonNullable<IContainer['env']>;

/** Undefined: AWS's own. */
export function endpointOf(settings: TargetSettings): string | undefined {
  if (settings.s3 === 'aws') return settings.endpoint;
  return `http://${settings.s3ClusterIp ?? `${S3_NAME}.${settings.namespace}.svc`}:${S3_PORT}`;
}

/** Of the service account, where the cluster's webhook reads them. */
export function roleAnnotations(
  settings: TargetSettings,
  roleArn: string | undefined,
): Record<string, string> {
  if (settings.s3 !== 'aws' || settings.webIdentity !== 'injected' || roleArn === undefined) return {};
  return {
    'eks.amazonaws.com/role-arn': roleArn,
    'eks.amazonaws.com/sts-regional-endpoints': 'true',
  };
}

export function credentialVariables(settings: TargetSettings, roleArn: string | undefined): Variables {
  const given = (name: string, value: string) => ({ name, value });
  if (settings.s3 === 'in-cluster')
    return ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => secretVariable(name, S3_NAME));
  const { stsEndpoint } = settings;
  return [
    given('AWS_REGION', settings.region),
    ...(settings.webIdentity === 'projected' && roleArn !== undefined
      ? [given('AWS_ROLE_ARN', roleArn), given('AWS_WEB_IDENTITY_TOKEN_FILE', `${TOKEN_DIR}/token`)]
      : []),
    ...(stsEndpoint === undefined ? [] : [given('AWS_ENDPOINT_URL_STS', stsEndpoint)]),
  ];
}

/** A variable from the key of the same name. */
export function secretVariable(name: string, secret: string): Variables[number] {
  return { name, valueFrom: { secretKeyRef: { name: secret, key: name } } };
}

/** Where the pod itself makes the token; nothing otherwise. */
export function tokenMounts(settings: TargetSettings): NonNullable<IContainer['volumeMounts']> {
  return makesToken(settings) ? [{ name: TOKEN, mountPath: TOKEN_DIR, readOnly: true }] : [];
}

export function tokenVolumes(settings: TargetSettings): IVolume[] {
  if (!makesToken(settings)) return [];
  const serviceAccountToken = { audience: STS_AUDIENCE, expirationSeconds: TOKEN_SECONDS, path: 'token' };
  return [{ name: TOKEN, projected: { defaultMode: 0o440, sources: [{ serviceAccountToken }] } }];
}

function makesToken({ s3, webIdentity }: TargetSettings): boolean {
  return s3 === 'aws' && webIdentity === 'projected';
}
