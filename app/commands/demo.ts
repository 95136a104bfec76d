// `ferry demo`, which is also what `ferry` alone does: its flags, and what to say to a stranger's first typo.
import * as z from 'zod';
import { type ExitName, FerryError } from '../core/errors.ts';
import { count, directory, duration, hostPort, optional } from '../core/settings/fields.ts';
import { nearest } from '../core/settings/names.ts';
import { fieldsOf, loadSettings, type SettingsInput, type SettingsSpec } from '../core/settings/settings.ts';
import { filesSpec } from '../files/settings.ts';
import { openPage } from './open-page.ts';
import type { Surroundings } from './surroundings.ts';

const GROUP = 'The demo';

const schema = z.object({
  directory: directory({
    group: GROUP,
    what: 'Directory that holds everything the demo makes',
    example: '.ferry',
    default: '.ferry',
  }),
  forMs: optional(
    duration(
      { group: GROUP, what: 'Stop after this time', example: '30s', otherwise: 'until Ctrl-C' },
      { timer: true },
    ),
  ),
  burst: count(
    { group: GROUP, what: 'Files written at the start', example: '5000', default: '5000' },
    { min: 0, max: 1_000_000 },
  ),
  rate: count(
    { group: GROUP, what: 'Files written each second after that', example: '12', default: '12' },
    { min: 0, max: 10_000 },
  ),
  listen: hostPort({
    group: GROUP,
    what: 'Address of the page; when it is taken, a free port',
    example: '127.0.0.1:9464',
    default: '127.0.0.1:9464',
  }),
});

export const demoSpec: SettingsSpec<z.output<typeof schema>> = { schema };

/** Runs the demo, unless the command line was meant for another command. */
export async function demoCommand(
  written: Pick<SettingsInput, 'flags' | 'rest'>,
  json: boolean,
  commands: readonly string[],
  { env, stdout, stderr }: Surroundings,
): Promise<ExitName> {
  refuseStrangers(written.rest ?? [], commands);
  const options = loadSettings(demoSpec, { ...written, env });
  const { runDemo } = await import('../demo/demo.ts');
  return await runDemo({ ...options, json, stdout, stderr, env, openPage });
}

/** Says which command was probably meant. */
export function refuseUnknownCommand(word: string, commands: readonly string[]): void {
  if (commands.includes(word)) return;
  const meant = nearest(word, commands);
  const hint = meant === undefined ? '' : `Did you mean \`ferry ${meant}\`? `;
  throw new FerryError(
    'config',
    `There is no command "${word}"`,
    `${hint}\`ferry --help\` lists all commands.`,
  );
}

function refuseStrangers(rest: readonly string[], commands: readonly string[]): void {
  const [first] = rest;
  if (first === undefined) return;
  if (!first.startsWith('-')) refuseUnknownCommand(first, commands);
  const name = first.replace(/^-+(no-)?/, '').replace(/=.*$/s, '');
  const own = [...fieldsOf(demoSpec).map((field) => field.name), 'json', 'help', 'stack', 'version'];
  const others = ['config', ...fieldsOf(filesSpec).map((field) => field.name)];
  const meant = nearest(name, [...own, ...others]);
  if (meant !== undefined && meant !== name && !own.includes(meant)) {
    throw new FerryError(
      'config',
      `${first.replace(/=.*$/s, '')} is an unknown flag`,
      `Did you mean \`ferry files --${meant} …\`? The command comes first.`,
    );
  }
  if (others.includes(name)) {
    throw new FerryError(
      'config',
      `--${name} is a flag of \`ferry files\``,
      'Write the command first: `ferry files …`.',
    );
  }
}
