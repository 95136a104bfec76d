// What must hold between the settings of what is made in the AWS account.
import { settingName } from '../../app/core/settings/names.ts';
import { ANYWHERE, AWS_FIELDS } from './aws.ts';
import type { TargetConflict } from './checks.ts';
import type { TargetSettings } from './settings.ts';

type Name = keyof TargetSettings & string;

/** IAM: 64 characters without the path. */
const ROLE_NAME_MAX = 64;

export function checkAws(settings: TargetSettings): TargetConflict[] {
  return settings.s3 === 'aws'
    ? [
        ...checkRoles(settings),
        ...checkEncryption(settings),
        ...checkBuckets(settings),
        ...checkAges(settings),
      ]
    : checkNoAccount(settings);
}

function checkNoAccount(settings: TargetSettings): TargetConflict[] {
  // The keys of AWS_FIELDS are those of the schema it is part of.
  const names = Object.keys(AWS_FIELDS) as (keyof typeof AWS_FIELDS)[];
  return names
    .filter((name) => !ANYWHERE.has(name) && AWS_FIELDS[name].safeParse(undefined).success)
    .filter((name) => settings[name] !== undefined)
    .map((name) => ({
      fields: ['s3', name],
      wrong: 'with an S3 server in the cluster no AWS account is touched',
      expected: `s3: aws, or no ${settingName(name)}`,
      remedy: `leave ferry:${settingName(name)} out`,
    }));
}

function checkRoles({ roleArn, breakGlassRole }: TargetSettings): TargetConflict[] {
  const conflicts: TargetConflict[] = [];
  const name = roleArn?.split('/').at(-1) ?? '';
  if (name.length > ROLE_NAME_MAX)
    conflicts.push({
      fields: ['roleArn'],
      wrong: `the role's name has ${name.length} characters`,
      expected: `at most ${ROLE_NAME_MAX} characters after the last slash`,
      remedy: 'give the role a shorter name',
    });
  if (roleArn !== undefined && roleArn === breakGlassRole)
    conflicts.push({
      fields: ['roleArn', 'breakGlassRole'],
      wrong: 'the role that writes would be the one that may delete',
      expected: 'two different roles',
      remedy: 'name the role that people take in an emergency, or leave ferry:break-glass-role out',
    });
  return conflicts;
}

function checkEncryption({ encryption, kmsKey, region }: TargetSettings): TargetConflict[] {
  if (encryption === 'sse-kms' && kmsKey === undefined)
    return [
      {
        fields: ['encryption', 'kmsKey'],
        wrong: 'sse-kms encrypts with a key of yours, and none is named',
        expected: 'the ARN of a KMS key',
        remedy: 'write ferry:kms-key, or ferry:encryption: sse-s3',
      },
    ];
  if (kmsKey === undefined) return [];
  if (encryption !== 'sse-kms')
    return [
      {
        fields: ['encryption', 'kmsKey'],
        wrong: 'a key is named that nothing is encrypted with',
        expected: 'encryption: sse-kms, or no kms-key',
        remedy: 'write ferry:encryption: sse-kms, or leave ferry:kms-key out',
      },
    ];
  const home = kmsKey.split(':')[3];
  if (home === region) return [];
  return [
    {
      fields: ['region', 'kmsKey'],
      wrong: `the key is in ${home}, and a bucket uses keys of its own region only`,
      expected: `a key in ${region}`,
      remedy: 'name a key of this region',
    },
  ];
}

function checkBuckets({ bucket, accessLogBucket }: TargetSettings): TargetConflict[] {
  if (accessLogBucket !== bucket) return [];
  return [
    {
      fields: ['bucket', 'accessLogBucket'],
      wrong: 'a bucket that logs into itself logs its own logs for ever',
      expected: 'two different buckets',
      remedy: 'name another bucket for the logs',
    },
  ];
}

/** Each step must come after the one before it. */
function checkAges(settings: TargetSettings): TargetConflict[] {
  const steps: readonly Name[] = ['instantRetrievalDays', 'deepArchiveDays', 'expireDays'];
  const given = steps.flatMap((name) => {
    const days = settings[name];
    return typeof days === 'number' ? [{ name, days }] : [];
  });
  return given.slice(1).flatMap((later, index) => {
    const earlier = given[index];
    if (earlier === undefined || later.days > earlier.days) return [];
    return [
      {
        fields: [earlier.name, later.name],
        wrong: `${later.days} days are not after ${earlier.days} days`,
        expected: `${settingName(later.name)} above ${settingName(earlier.name)}`,
        remedy: 'S3 refuses such rules: raise the later one, or leave one out',
      },
    ];
  });
}
