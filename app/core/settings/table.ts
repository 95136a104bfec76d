// Settings as people look at them: what is in force and from where (`ferry config`), and what there is (the README).

import type { FieldInfo } from './fields.ts';
import { fieldsOf, type Resolution, type ResolvedSetting, type SettingsSpec } from './settings.ts';
import { originText } from './sources.ts';

/** Every setting with its value and origin, then the names of what the AWS SDK finds in the environment. */
export function resolutionText(
  resolution: Resolution<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const rows = resolution.settings.map((setting) => [
    setting.name,
    shownValue(setting),
    originText(setting.origin),
  ]);
  for (const name of foundInEnvironment(environment))
    rows.push([name, 'found in environment', `env ${name}`]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(([name = '', value = '', origin = '']) => {
      return `${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${origin}\n`;
    })
    .join('');
}

/** The same for programs. `value` is typed: milliseconds, bytes, booleans; null when absent, wrong or secret. */
export function resolutionJson(
  resolution: Resolution<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const settings = resolution.settings.map((setting) => ({
    name: setting.name,
    field: setting.field,
    text: setting.shown ?? null,
    value: setting.value ?? null,
    origin: originText(setting.origin),
  }));
  const answer = {
    ok: resolution.problems.length === 0,
    settings,
    problems: resolution.problems,
    foundInEnvironment: foundInEnvironment(environment),
  };
  return `${JSON.stringify(answer, null, 2)}\n`;
}

/** Names only: their values may be keys, or URLs with a password. */
function foundInEnvironment(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(environment)
    .filter((name) => /^AWS_/.test(name) || /^(https?|no)_proxy$/i.test(name))
    .sort();
}

function shownValue({ shown, value, info, origin }: ResolvedSetting): string {
  if (shown === undefined) return info.optional ? `(${info.otherwise ?? 'none'})` : '(missing)';
  return value === undefined && !info.secret && origin.kind !== 'default' ? `${shown} (wrong)` : shown;
}

/** What a setting is when nobody says anything; undefined when it must be given. */
export function defaultText(info: FieldInfo): string | undefined {
  return info.default ?? (info.optional ? (info.otherwise ?? 'none') : undefined);
}

/** One table per group. The YAML key is the flag without its dashes. */
export function settingsMarkdown<T>(spec: SettingsSpec<T>): string {
  const groups = Map.groupBy(fieldsOf(spec), ({ info }) => info.group);
  const tables = [...groups].map(([group, fields]) => {
    const rows = fields.map(({ name, variable, info }) => {
      const flag = info.kind === 'switch' ? `\`--${name}\`` : `\`--${name} ${info.placeholder}\``;
      const standard =
        info.default === undefined ? (defaultText(info) ?? '**required**') : `\`${info.default}\``;
      return `| ${[flag, `\`${variable}\``, standard, `${info.what}.`].map(cell).join(' | ')} |`;
    });
    return [
      `**${group}**`,
      '',
      '| Flag | Variable | Default | What it does |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return tables.join('\n');
}

/** A bar ends a cell, even between backticks. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
