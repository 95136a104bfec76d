// `ferry events` and its sub-commands on the command line.
import type { Command } from 'commander';
import type { ExitName } from '../core/errors.ts';
import { loadSettings } from '../core/settings/settings.ts';
import { backfillSpec, demoSpec, eventsSpec, sampleSpec, statusSpec } from '../events/settings/flags.ts';
import { addSettingsFlags, writtenFlags } from './settings-flags.ts';
import type { Surroundings } from './surroundings.ts';

export function addEvents(events: Command, around: Surroundings, ended: (exit: ExitName) => void): void {
  // Options after a sub-command's name are the sub-command's.
  events.enablePositionalOptions();
  const { env } = around;

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
    const flags = loadSettings(statusSpec, { ...writtenFlags(status, ['json']), env });
    const { eventsStatus } = await import('../events/commands.ts');
    ended(await eventsStatus(flags, options.json === true, around));
  });

  const backfill = events.command('backfill').description('many days at once; several workers share them');
  addSettingsFlags(backfill, backfillSpec);
  backfill.action(async () => {
    const flags = loadSettings(backfillSpec, { ...writtenFlags(backfill), env });
    const { backfillEvents } = await import('../events/commands.ts');
    ended(await backfillEvents(flags, around));
  });

  const demo = events.command('demo').description('a bundled API, sealed days in a folder');
  addSettingsFlags(demo, demoSpec);
  demo.action(async () => {
    const flags = loadSettings(demoSpec, { ...writtenFlags(demo), env });
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
    const flags = loadSettings(sampleSpec, { ...writtenFlags(sample), env });
    const { serveSampleApi } = await import('../events/commands.ts');
    ended(await serveSampleApi(flags.port, around));
  });
}
