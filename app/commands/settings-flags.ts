// Gives a command a flag for every setting, and reads them back without judging them: that is settings.ts's business.
import { type Command, Option } from 'commander';
import { fieldsOf, type SettingsInput, type SettingsSpec } from '../core/settings/settings.ts';
import { defaultText } from '../core/settings/table.ts';

/**
 * Adds `--name` for every setting, `--no-name` for switches, and `--config`. Unknown flags are let through, so that
 * they are reported together with everything else that is wrong.
 * @param shown names that the help text lists; all when undefined.
 */
export function addSettingsFlags<T>(
  command: Command,
  spec: SettingsSpec<T>,
  shown?: readonly string[],
): void {
  command.allowUnknownOption().allowExcessArguments();
  for (const { name, variable, info } of fieldsOf(spec)) {
    const standard = defaultText(info);
    const source = spec.section === undefined ? '' : `; ${variable}`;
    const help = `${info.what} (${standard === undefined ? 'required' : `default: ${standard}`}${source})`;
    const hidden = shown !== undefined && !shown.includes(name);
    if (info.kind === 'switch') {
      command.addOption(new Option(`--${name}`, help).hideHelp(hidden).helpGroup(`${info.group}:`));
      command.addOption(new Option(`--no-${name}`).hideHelp().helpGroup(`${info.group}:`));
    } else {
      const option = new Option(`--${name} [${info.placeholder}]`, help);
      command.addOption(option.hideHelp(hidden).helpGroup(`${info.group}:`));
    }
  }
  if (spec.section !== undefined) {
    const config = new Option(
      '--config [FILE]',
      `YAML file of settings, below "${spec.section}:" (FERRY_CONFIG)`,
    );
    command.addOption(config.helpGroup('Settings file:'));
  }
  command.configureHelp({
    // Values are declared optional only so that a missing one can be reported with everything else.
    optionTerm: (option) => option.flags.replace(/\[(.+)\]/, '<$1>'),
  });
}

/** What was written on the command line; `own` are flags of the command that are no settings. */
export function writtenFlags(
  command: Command,
  own: readonly string[] = [],
): Pick<SettingsInput, 'flags' | 'rest'> {
  const flags = new Map<string, string | boolean | null>();
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    const name = option.name().replace(/^no-/, '');
    if (own.includes(name)) continue;
    if (typeof value === 'string') flags.set(name, value);
    else if (typeof value === 'boolean') flags.set(name, option.optional ? null : value);
  }
  return { flags, rest: command.args };
}
