// The settings of the stack in hand. They come from Pulumi.<stack>.yaml, which the manifests and the plan read, too;
// what Pulumi was given beside that file (`--config`, an environment) would deploy what nobody else knows of.
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { FerryError } from '../app/core/errors.ts';
import { settingName } from '../app/core/settings/names.ts';
import { readEvents, type TargetEvents } from '../manifests/events/read.ts';
import { EVENTS_SECTION, readEventsTarget } from '../manifests/events/settings.ts';
import { readBeside, readText } from '../manifests/settings/files.ts';
import { readTarget } from '../manifests/settings/read.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';

const SECTION = 'ferry:';
const STACK_NAMES =
  'A stack is called like its file of settings: `pulumi stack init staging` for Pulumi.staging.yaml.';

/**
 * @param given what Pulumi hands to the program, `ferry:bucket` and others; empty texts stand for what is absent
 * @throws FerryError `config` with every problem
 */
export function stackSettings(
  directory: string,
  stack: string,
  given: Readonly<Record<string, string>>,
): TargetSettings {
  const file = `Pulumi.${stack}.yaml`;
  const settings = readTarget(file, readText(join(directory, file), STACK_NAMES));
  const ours = Object.entries(given).filter(([key, text]) => key.startsWith(SECTION) && text !== '');
  const told = readTarget(
    `what Pulumi was given beside ${file}`,
    stringify({ config: Object.fromEntries(ours) }),
  );
  // Both have the keys of one schema.
  const names = Object.keys({ ...settings, ...told }) as (keyof TargetSettings & string)[];
  const other = names.filter((name) => !isDeepStrictEqual(settings[name], told[name]));
  if (other.length === 0) return settings;
  throw otherwise(
    file,
    other.map((name) => SECTION + settingName(name)),
  );
}

/** What the stack has turned on of `ferry events`. @throws FerryError `config` with every problem */
export function stackEvents(
  directory: string,
  stack: string,
  settings: TargetSettings,
  given: Readonly<Record<string, string>>,
): TargetEvents | undefined {
  const file = `Pulumi.${stack}.yaml`;
  const content = readText(join(directory, file), STACK_NAMES);
  const events = readEvents(file, content, settings, (path) => readBeside(directory, path));
  const ours = Object.entries(given).filter(([key]) => key.startsWith(EVENTS_SECTION));
  const told = readEventsTarget(
    `what Pulumi was given beside ${file}`,
    stringify({ config: Object.fromEntries(ours) }),
  );
  if (!isDeepStrictEqual(events?.target, told)) throw otherwise(file, [`${EVENTS_SECTION}*`]);
  return events;
}

function otherwise(file: string, names: readonly string[]): FerryError {
  return new FerryError(
    'config',
    `Pulumi was given ${names.join(', ')} otherwise than ${file} says.`,
    `Write it into ${file}: the manifests, the plan and the policies read nothing else.`,
  );
}
