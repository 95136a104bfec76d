// `ferry events` and its sub-commands on the command line.
import type { Command } from 'commander';
import type { ExitName } from '../core/errors.ts';
import { fieldsOf, loadSettings, type SettingsSpec } from '../core/settings/settings.ts';
import { backfillSpec, demoSpec, eventsSpec, sampleSpec, statusSpec } from '../events/settings/flags.ts';
import { addSettingsFlags, writtenFlags } from './settings-flags.ts';
import type { Surroundings } from './surroundings.ts';

export function addEvents(events: Command, around: Surroundings, ended: (exit: ExitName) => void): void {
  const { env } = around;
  /** Flags that `ferry events` has too are taken by it, wherever they stand. */
  const flagsOf = <T>(sub: Command, spec: SettingsSpec<T>, own: readonly string[] = []) => {
    const [outer, inner] = [writtenFlags(events), writtenFlags(sub, own)];
    const names = new Set(fieldsOf(spec).map(({ name }) => name));
    const strange = [...outer.flags.keys()].filter((name) => !names.has(name)).map((name) => `--${name}`);
    const flags = new Map([...outer.flags, ...inner.flags].filter(([name]) => names.has(name)));
    return { flags, rest: [...strange, ...(inner.rest ?? [])] };
  };

  addSettingsFlags(events, eventsSpec);
  events.addHelpText(
    'after',
    '\nThe API key comes from the variable API_KEY, or from the file that API_KEY_FILE names.',
  );
  events.action(async () => {
    const flags = loadSettings(eventsSpec, { ...writtenFlags(events), env });
    const { moveEvents } = await import('../events/commands.ts');
    ended(await moveEvents(flags, around));
  });

  const status = events.command('status').description('which days are sealed, missing or failed, and why');
  addSettingsFlags(status, statusSpec);
  status.option('--json', 'print JSON');
  status.action(async (options: { json?: boolean }) => {
    const flags = loadSettings(statusSpec, { ...flagsOf(status, statusSpec, ['json']), env });
    const { eventsStatus } = await import('../events/commands.ts');
    ended(await eventsStatus(flags, options.json === true, around));
  });

  const backfill = events.command('backfill').description('many days at once; several workers share them');
  addSettingsFlags(backfill, backfillSpec);
  backfill.action(async () => {
    const flags = loadSettings(backfillSpec, { ...flagsOf(backfill, backfillSpec), env });
    const { backfillEvents } = await import('../events/commands.ts');
    ended(await backfillEvents(flags, around));
  });

  const demo = events.command('demo').description('a bundled API, sealed days in a folder');
  addSettingsFlags(demo, demoSpec);
  demo.action(async () => {
    const flags = loadSettings(demoSpec, { ...flagsOf(demo, demoSpec), env });
    const { eventsDemo } = await import('../events/commands.ts');
    ended(await eventsDemo(flags.directory, around));
  });

  const schema = events.command('schema').description('print the JSON Schema of the settings file');
  schema.action(async () => {
    const { jsonSchema } = await import('../events/settings/schema.ts');
    around.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    ended('ok');
  });

  const sample = events.command('sample-api').description("serve the demo's API until Ctrl-C");
  addSettingsFlags(sample, sampleSpec);
  sample.action(async () => {
    const flags = loadSettings(sampleSpec, { ...flagsOf(sample, sampleSpec), env });
    const { serveSampleApi } = await import('../events/commands.ts');
    ended(await serveSampleApi(flags, around));
  });
}
