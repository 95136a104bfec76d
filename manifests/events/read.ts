// What a target has turned on of `ferry events`: its keys in Pulumi.<target>.yaml and the settings file they name, read
// together, since pods, role and bucket must all be about the same place.
import { FerryError } from '../../app/core/errors.ts';
import { type EventsSettings, parseEventsFile } from '../../app/events/settings/read.ts';
import type { TargetSettings } from '../settings/settings.ts';
import { type EventsTarget, readEventsTarget } from './settings.ts';

/** Where the pods keep what is pulled and not yet sealed; relative paths of the settings file lie there. */
export const STATE_DIR = '/var/lib/ferry';
/** IAM: 64 characters without the path. */
const ROLE_NAME_MAX = 64;

export interface TargetEvents {
  readonly target: EventsTarget;
  /** The settings file as it was written. */
  readonly text: string;
  readonly file: EventsSettings;
  /** Of every key in the bucket, without a slash at its end; empty: the whole bucket. */
  readonly prefix: string;
}

/**
 * Undefined when the target turns no events on.
 * @param name the target's file, as it is named in errors
 * @param read reads the settings file of `ferry events`
 * @throws FerryError `config` with every problem
 */
export function readEvents(
  name: string,
  content: string,
  settings: TargetSettings,
  read: (path: string) => string,
): TargetEvents | undefined {
  const target = readEventsTarget(name, content);
  if (target === undefined) return undefined;
  const text = read(target.settings);
  const file = parseEventsFile(target.settings, text, STATE_DIR);
  const events = { target, text, file, prefix: file.s3_key.replace(/\/$/, '') };
  const problems = [
    ...placeProblems(settings, events),
    ...(settings.s3 === 'aws' ? roleProblems(settings, events) : serverProblems(settings, events)),
  ];
  if (problems.length === 0) return events;
  throw new FerryError(
    'config',
    `The events of ${name} are wrong:\n\n${problems.map((problem) => `  ${problem}\n`).join('')}\n`,
    'Nothing was written.',
  );
}

function placeProblems(settings: TargetSettings, { target, file, prefix }: TargetEvents): string[] {
  const problems: string[] = [];
  const where = target.settings;
  if (file.s3_bucket !== settings.bucket)
    problems.push(
      `${where} s3_bucket is ${file.s3_bucket ?? 'absent'}, and ferry:bucket is ${settings.bucket}: events lie in the bucket of their target, below a prefix of their own. Write one name in both.`,
    );
  if (prefix === '')
    problems.push(`${where} s3_key is absent: events need a prefix of their own, e.g. s3_key: events.`);
  else if (settings.prefix === undefined || overlap(settings.prefix, prefix))
    problems.push(
      `${where} s3_key is ${prefix}, and ferry:prefix is ${settings.prefix ?? 'absent (the whole bucket)'}: each has one writer, so neither may lie in the other. Choose two prefixes, e.g. ferry:prefix: site-1 and s3_key: events.`,
    );
  if (file.s3.region !== undefined && file.s3.region !== settings.region)
    problems.push(
      `${where} s3.region is ${file.s3.region}, and ferry:region is ${settings.region}. Leave it out: the pods are told the region.`,
    );
  if (file.s3.endpoint !== undefined)
    problems.push(
      `${where} s3.endpoint stands there, and the pods are told the endpoint of their target. Leave it out.`,
    );
  return problems;
}

/** Whether one is the other, or a folder in it. */
function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

function roleProblems(settings: TargetSettings, { target, file }: TargetEvents): string[] {
  const { roleArn } = target;
  if (roleArn === undefined)
    return [
      'ferry-events:role-arn is absent: without a role its pods have no credentials. Name one that is to be made, e.g. arn:aws:iam::111122223333:role/ferry-events.',
    ];
  const problems: string[] = [];
  const name = roleArn.split('/').at(-1) ?? '';
  if (name.length > ROLE_NAME_MAX)
    problems.push(
      `ferry-events:role-arn: the role's name has ${name.length} characters, and IAM takes ${ROLE_NAME_MAX}. Give it a shorter one.`,
    );
  const home = (arn: string) => arn.split(':').slice(0, 5).join(':');
  if (roleArn === settings.roleArn || roleArn === settings.breakGlassRole)
    problems.push(
      `ferry-events:role-arn is ${roleArn}, which is another role of this target. Name one of its own: each may write below its own prefix alone.`,
    );
  else if (settings.roleArn !== undefined && home(roleArn) !== home(settings.roleArn))
    problems.push(
      `ferry-events:role-arn is of another account than ferry:role-arn (${settings.roleArn}). Both roles are made beside the bucket.`,
    );
  if (file.s3.may_read)
    problems.push(
      `${target.settings} s3.may_read is true, and the role that is made cannot read. Leave it out: the seals have the counts.`,
    );
  return problems;
}

function serverProblems({ s3 }: TargetSettings, { target, file }: TargetEvents): string[] {
  const problems: string[] = [];
  if (target.roleArn !== undefined)
    problems.push(
      `ferry-events:role-arn: with ferry:s3 ${s3} there are no roles. Leave it out, or write ferry:s3: aws.`,
    );
  if (!file.s3.path_style)
    problems.push(
      `${target.settings} s3.path_style is false, and the server in the cluster has no name for each bucket. Write s3: { path_style: true }.`,
    );
  return problems;
}
