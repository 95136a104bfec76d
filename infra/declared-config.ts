// The schema of the settings in the words of Pulumi.yaml, where editors and `pulumi config` look for it.
import { infoOf } from '../app/core/settings/fields.ts';
import { settingName } from '../app/core/settings/names.ts';
import { schema } from '../manifests/settings/settings.ts';

export interface DeclaredSetting {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  /** Empty for what has none: Pulumi would refuse a stack without it, before all problems could be told at once. */
  readonly default: string | number | boolean;
}

/** By name, without `ferry:`. */
export function declaredConfig(): Record<string, DeclaredSetting> {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([field, one]) => {
      const { what, example, default: standard, otherwise, optional, kind, placeholder } = infoOf(one);
      const absent = optional ? `Default: ${otherwise ?? 'none'}` : 'Required';
      const description = `${what}. ${standard === undefined ? `${absent}. ` : ''}Example: ${example}`;
      const setting: DeclaredSetting =
        kind === 'switch'
          ? { type: 'boolean', description, default: standard === 'true' }
          : placeholder === 'N' && standard !== undefined
            ? { type: 'integer', description, default: Number(standard) }
            : { type: 'string', description, default: standard ?? '' };
      return [settingName(field), setting];
    }),
  );
}
