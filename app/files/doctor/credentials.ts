// `ferry doctor` on credentials: are there any, where do they come from, do they expire, and can a web identity be read.
import { accessSync, constants } from 'node:fs';
import { errnoOf, messageOf } from '../../core/errors.ts';
import type { Credentials } from '../../core/s3/sign.ts';
import { formatDuration } from '../../core/units.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { whoami } from './source.ts';

/** The names the AWS SDK notes on credentials it has found (`$source`), the most telling first. */
const SOURCES: readonly [name: string, text: string][] = [
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'a web identity (IRSA)'],
  ['CREDENTIALS_IMDS', 'the instance role'],
  ['CREDENTIALS_HTTP', 'the container (Pod Identity or ECS)'],
  ['CREDENTIALS_SSO', 'single sign-on'],
  ['CREDENTIALS_PROFILE_SSO', 'single sign-on'],
  ['CREDENTIALS_PROCESS', "the profile's credential process"],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'an assumed role'],
  ['CREDENTIALS_LOGIN', '`aws login`'],
  ['CREDENTIALS_ENV_VARS', 'the environment (AWS_ACCESS_KEY_ID)'],
  ['CREDENTIALS_PROFILE', 'a profile in ~/.aws'],
];

/** Where credentials come from, as the end of a sentence. */
export function sourceOf(credentials: object): string {
  const noted: unknown = '$source' in credentials ? credentials.$source : undefined;
  const names = typeof noted === 'object' && noted !== null ? Object.keys(noted) : [];
  return SOURCES.find(([name]) => names.includes(name))?.[1] ?? 'the AWS provider chain';
}

/** Asks for credentials; undefined when there are none. No part of a key is ever in a finding. */
export async function checkCredentials(
  fetch: () => Promise<Credentials>,
  options: { readonly env: NodeJS.ProcessEnv; readonly isAws: boolean; readonly nowMs: number },
): Promise<{ findings: readonly Finding[]; credentials: Credentials | undefined }> {
  const token = checkToken(options.env.AWS_WEB_IDENTITY_TOKEN_FILE);
  if (token?.level === 'fail') return { findings: [token], credentials: undefined };
  try {
    const credentials = await fetch();
    return { findings: [...(token ? [token] : []), judgeCredentials(credentials, options)], credentials };
  } catch (error) {
    const finding = fail(
      'credentials.found',
      messageOf(error),
      'In a cluster annotate the service account with its role (eks.amazonaws.com/role-arn); elsewhere set AWS_PROFILE or run `aws sso login`.',
    );
    return { findings: [...(token ? [token] : []), finding], credentials: undefined };
  }
}

function checkToken(file: string | undefined): Finding | undefined {
  if (!file) return undefined;
  try {
    accessSync(file, constants.R_OK);
    return ok('credentials.token', 'The web identity token can be read.');
  } catch (error) {
    return fail(
      'credentials.token',
      `The web identity token ${file} cannot be read by ${whoami()}: ${errnoOf(error) ?? messageOf(error)}.`,
      "Set the pod's securityContext.fsGroup, so that a non-root container may read its token.",
    );
  }
}

/** Whether these can be trusted to last. Pure. */
export function judgeCredentials(
  credentials: Credentials,
  options: { readonly isAws: boolean; readonly nowMs: number },
): Finding {
  const source = sourceOf(credentials);
  const endsMs = credentials.expiration?.getTime();
  if (endsMs !== undefined) {
    const leftMs = endsMs - options.nowMs;
    if (leftMs <= 0) {
      return fail('credentials.found', `The credentials from ${source} have expired.`, 'Renew them.');
    }
    return ok(
      'credentials.found',
      `Credentials come from ${source}; these expire in ${formatDuration(leftMs)}.`,
    );
  }
  if (credentials.sessionToken) {
    return warn(
      'credentials.found',
      `Credentials come from ${source}: temporary ones; when they expire is not known, and nobody renews them.`,
      'For a long run use a role: a web identity in a cluster, an instance role or a profile elsewhere.',
    );
  }
  if (options.isAws) {
    return warn(
      'credentials.found',
      `Credentials come from ${source}: keys that do not expire.`,
      'Use a role instead: a web identity in a cluster, an instance role or single sign-on elsewhere.',
    );
  }
  return ok('credentials.found', `Credentials come from ${source}; they do not expire.`);
}
