// What must hold between a target's settings, above all between what somebody wrote and what the plan says is needed:
// each conflict with its arithmetic.
import type { Conflict } from '../../app/core/settings/settings.ts';
import { type Figure, shown } from '../../app/plan/figure.ts';
import { planProblems } from '../../app/plan/inputs.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { stateWithSpill } from '../../app/plan/resources.ts';
import { isPinned } from '../quantities.ts';
import { neededGrace } from '../values.ts';
import { checkAws } from './checks-aws.ts';
import { planInputsOf, type TargetSettings } from './settings.ts';

export type TargetConflict = Conflict<keyof TargetSettings & string>;

/** Needs every setting to be valid by itself. Empty when a pod can be made of them. */
export function checkTarget(settings: TargetSettings): TargetConflict[] {
  return [...checkSurroundings(settings), ...checkAws(settings), ...checkPlan(settings)];
}

function checkSurroundings(settings: TargetSettings): TargetConflict[] {
  const conflicts: TargetConflict[] = [];
  const { s3, image, writerImage, s3Image, roleArn } = settings;
  if (s3 === 'aws') {
    for (const [field, name] of [
      ['image', image],
      ['writerImage', writerImage],
    ] as const)
      if (name !== undefined && !isPinned(name))
        conflicts.push({
          fields: [field],
          wrong: `the tag of ${name} can be moved to another image at any time`,
          expected: 'an image by digest: NAME@sha256: and 64 hexadecimal digits',
          remedy: 'ask the registry for the digest of this tag and write that',
        });
    if (roleArn === undefined)
      conflicts.push({
        fields: ['s3', 'roleArn'],
        wrong: 'without a role the uploader has no credentials',
        expected: 'the ARN of an IAM role',
        remedy: 'write ferry:role-arn, e.g. arn:aws:iam::111122223333:role/ferry-staging',
      });
  } else {
    if (s3Image === undefined)
      conflicts.push({
        fields: ['s3', 's3Image'],
        wrong: 'an S3 server in the cluster needs an image',
        expected: 'an image name with a tag or a digest',
        remedy: 'write ferry:s3-image, e.g. versity/versitygw:v1.8.0',
      });
    for (const field of ['roleArn', 'endpoint'] as const)
      if (settings[field] !== undefined)
        conflicts.push({
          fields: ['s3', field],
          wrong: 'the S3 server in the cluster has its own endpoint and no roles',
          expected: 's3: aws, or neither role-arn nor endpoint',
          remedy: `leave ferry:${field === 'roleArn' ? 'role-arn' : 'endpoint'} out`,
        });
  }
  if (settings.sseKmsKeyId !== undefined && settings.sse !== 'aws:kms')
    conflicts.push({
      fields: ['sse', 'sseKmsKeyId'],
      wrong: 'a KMS key is named, but encryption by KMS is not asked for',
      expected: 'a KMS key only together with sse: aws:kms',
      remedy: 'write ferry:sse: aws:kms, or leave ferry:sse-kms-key-id out',
    });
  if (settings.spillClass !== undefined && settings.spillSizeBytes === undefined)
    conflicts.push({
      fields: ['spillClass', 'spillSizeBytes'],
      wrong: 'a storage class is named for a claim that is not asked for',
      expected: 'a class only together with spill-size',
      remedy: 'write ferry:spill-size, e.g. 20Gi, or leave ferry:spill-class out',
    });
  if (settings.writerCpu > settings.writerCpuLimit)
    conflicts.push({
      fields: ['writerCpu', 'writerCpuLimit'],
      wrong: `${settings.writerCpu}m requested are more than the limit of ${settings.writerCpuLimit}m`,
      expected: 'a request that is not above the limit',
      remedy: 'raise the limit or lower the request',
    });
  return conflicts;
}

function checkPlan(settings: TargetSettings): TargetConflict[] {
  const inputs = planInputsOf(settings);
  const problems = planProblems(inputs);
  if (problems.length > 0)
    return problems.map((problem) => ({
      ...problem,
      fields: problem.fields.flatMap((name) => (isSetting(name, settings) ? [name] : [])),
    }));
  const plan = planCapacity(inputs);
  const unbound = planCapacity({ ...inputs, drainMs: undefined });
  const conflicts: TargetConflict[] = [];
  const least = (field: keyof TargetSettings & string, needed: Figure, toUnit = 1): void => {
    const written = settings[field];
    if (typeof written !== 'number' || written / toUnit >= needed.value) return;
    const text = shown({ value: written / toUnit, unit: needed.unit });
    conflicts.push({
      fields: [field],
      wrong: `${text} are ${shown({ value: needed.value - written / toUnit, unit: needed.unit })} below the ${shown(needed)} that are needed: ${needed.why}`,
      expected: `at least ${shown(needed)} (${needed.value} ${needed.unit})`,
      remedy: 'leave it out to take what is planned, or change what the plan starts from',
    });
  };
  least('sizeLimitBytes', plan.sizeLimitBytes);
  if (inputs.volume === 'ephemeral') least('claimSizeBytes', plan.fileSystemBytes);
  else if (settings.claimSizeBytes !== undefined)
    conflicts.push({
      fields: ['volume', 'claimSizeBytes'],
      wrong: `a volume of kind ${inputs.volume} claims nothing`,
      expected: 'volume: ephemeral, or no claim-size',
      remedy: 'leave ferry:claim-size out',
    });
  least('stateSizeBytes', stateWithSpill(plan.stateSizeBytes, inputs, settings.spillSizeBytes));
  least('memoryRequestBytes', plan.memoryRequestBytes);
  least('memoryLimitBytes', plan.memoryLimitBytes);
  least('cpuRequest', plan.cpuRequestMillicores);
  least('cpuLimit', plan.cpuLimitMillicores);
  least('drainMs', unbound.drainSeconds, 1_000);
  least('gracePeriodMs', neededGrace(plan), 1_000);
  for (const [request, limit, unit, planned] of [
    ['memoryRequestBytes', 'memoryLimitBytes', 'bytes', plan.memoryLimitBytes.value],
    ['cpuRequest', 'cpuLimit', 'millicores', plan.cpuLimitMillicores.value],
  ] as const) {
    const [asked, most] = [settings[request], settings[limit] ?? planned];
    if (asked !== undefined && asked > most)
      conflicts.push({
        fields: [request, limit],
        wrong: `${shown({ value: asked, unit })} requested are more than the limit of ${shown({ value: most, unit })}`,
        expected: 'a request that is not above the limit',
        remedy: 'raise the limit or lower the request',
      });
  }
  return conflicts;
}

function isSetting(name: string, settings: TargetSettings): name is keyof TargetSettings & string {
  return Object.hasOwn(settings, name) || name === 'drainMs' || name === 'volume';
}
