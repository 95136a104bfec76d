// The settings of the stack in hand. They come from Pulumi.<stack>.yaml, which the manifests and the plan read, too;
// what Pulumi was given beside that file (`--config`, an environment) would deploy what nobody else knows of.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { errnoOf, FerryError, messageOf } from '../app/core/errors.ts';
import { settingName } from '../app/core/settings/names.ts';
import { readTarget } from '../manifests/settings/read.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';

const SECTION = 'ferry:';

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
  const settings = readTarget(file, readText(join(directory, file)));
  const ours = Object.entries(given).filter(([key, text]) => key.startsWith(SECTION) && text !== '');
  const told = readTarget(
    `what Pulumi was given beside ${file}`,
    stringify({ config: Object.fromEntries(ours) }),
  );
  // Both have the keys of one schema.
  const names = Object.keys({ ...settings, ...told }) as (keyof TargetSettings & string)[];
  const other = names.filter((name) => !isDeepStrictEqual(settings[name], told[name]));
  if (other.length === 0) return settings;
  throw new FerryError(
    'config',
    `Pulumi was given ${other.map((name) => SECTION + settingName(name)).join(', ')} otherwise than ${file} says.`,
    `Write it into ${file}: the manifests, the plan and the policies read nothing else.`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`;
    throw new FerryError(
      'config',
      `${path} ${reason}.`,
      'A stack is called like its file of settings: `pulumi stack init staging` for Pulumi.staging.yaml.',
    );
  }
}
