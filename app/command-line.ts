// The commands of `ferry`, their flags and help, and which code each runs. Code is loaded only for the command in hand.
import { Command, CommanderError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { demoCommand, demoSpec, refuseUnknownCommand } from './commands/demo.ts';
import { addEvents } from './commands/events.ts';
import { type ExampleOf, examplesText } from './commands/examples.ts';
import { exitCodes } from './commands/exit-codes.ts';
import { openPage } from './commands/open-page.ts';
import { planSpec } from './commands/plan-settings.ts';
import type { SpanFlags } from './commands/receipts.ts';
import { addSettingsFlags, writtenFlags } from './commands/settings-flags.ts';
import type { Surroundings } from './commands/surroundings.ts';
import { timeOf } from './commands/times.ts';
import { type ExitName, FerryError } from './core/errors.ts';
import { loadSettings, resolveSettings, settingsError } from './core/settings/settings.ts';
import { resolutionJson, resolutionText } from './core/settings/table.ts';
import { doctorSpec, filesSpec } from './files/settings.ts';

/** Runs one command line, without `node` and the script. @throws FerryError, StoreError; anything else is a defect. */
export async function runCommandLine(words: readonly string[], around: Surroundings): Promise<ExitName> {
  let exit: ExitName = 'ok';
  const program = createProgram(around, (name) => {
    exit = name;
  });
  const [first, second] = words;
  if (first === 'help' && second !== undefined) refuseUnknownCommand(second, commandNames(program));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === 'commander.help') return 'ok';
    const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
    throw new FerryError('config', what, [...hints, 'Run `ferry --help` to see all commands.'].join(' '));
  }
  return exit;
}

/** The program with all commands; `ended` receives how the one that ran has ended. */
export function createProgram(around: Surroundings, ended: (exit: ExitName) => void): Command {
  const program = new Command('ferry')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .option('--stack', 'show where an internal error came from (FERRY_STACK=1)')
    .helpOption('-h, --help', 'show the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: (text) => around.stderr.write(text),
      outputError: () => {},
    })
    .addHelpText('after', () => `${examplesText('ferry')}\n${exitCodesText()}`);

  const command = (name: ExampleOf, description: string, options?: { isDefault: boolean }) =>
    program
      .command(name, options)
      .description(description)
      .addHelpText('after', () => examplesText(name));

  const demo = command('demo', 'show Ferry at work in one folder; what `ferry` alone does', {
    isDefault: true,
  });
  addSettingsFlags(demo, demoSpec);
  demo.option('--json', 'print the final balance as JSON');
  demo.action(async (options: { json?: boolean }) => {
    ended(
      await demoCommand(writtenFlags(demo, ['json']), options.json === true, commandNames(program), around),
    );
  });

  const files = command('files', 'move files: send, prove, and only then free the disk');
  addSettingsFlags(files, filesSpec);
  files.addHelpText(
    'after',
    '\nSwitches are taken back with --no-…, e.g. --no-keep. Flags win over FERRY_* variables,\n' +
      'these over the settings file.',
  );
  files.action(async () => {
    const settings = loadSettings(filesSpec, { ...writtenFlags(files), env: around.env });
    const { runFiles } = await import('./files/run.ts');
    ended(await runFiles(settings, { ...around, openPage }));
  });

  const config = command('config', 'print every setting of `ferry files` and where it comes from');
  addSettingsFlags(config, filesSpec, ['source', 'to']);
  config.option('--json', 'print JSON');
  config.addHelpText('after', ALSO_ALL_FLAGS);
  config.action((options: { json?: boolean }) => {
    const found = resolveSettings(filesSpec, { ...writtenFlags(config, ['json']), env: around.env });
    const print = options.json ? resolutionJson : resolutionText;
    around.stdout.write(print(found, around.env));
    if (found.problems.length > 0) throw settingsError(filesSpec, found.problems, true);
  });

  const doctor = command('doctor', 'check that the store and the source allow what `ferry files` needs');
  addSettingsFlags(doctor, doctorSpec, ['to', 'source', 'endpoint', 'region', 'path-style']);
  doctor.option('--json', 'print JSON');
  doctor.addHelpText('after', ALSO_ALL_FLAGS);
  doctor.action(async (options: { json?: boolean }) => {
    const settings = loadSettings(doctorSpec, { ...writtenFlags(doctor, ['json']), env: around.env });
    const { runDoctor } = await import('./files/doctor/doctor.ts');
    ended(await runDoctor(settings, { json: options.json === true, ...around }));
  });

  const events = command(
    'events',
    'pull a paged API day by day: nothing missed, nothing twice, sealed when whole',
  );
  addEvents(events, around, ended);

  const plan = command('plan', 'how much disk, memory, bandwidth and money a writer takes, and why');
  addSettingsFlags(plan, planSpec);
  plan.action(async () => {
    const { planCommand } = await import('./commands/plan.ts');
    ended(await planCommand(writtenFlags(plan), around));
  });

  addReceiptCommands(command, around, ended);
  addVendorWriter(program, ended);
  return program;
}

const ALSO_ALL_FLAGS = '\nTakes every flag, variable and settings file of `ferry files` too.';

/** What the receipts beside the data tell. They read: the mover's own role may not. */
function addReceiptCommands(
  command: (name: ExampleOf, description: string) => Command,
  around: Surroundings,
  ended: (exit: ExitName) => void,
): void {
  const shown = ['to', 'source', 'endpoint', 'region', 'path-style'];
  const asked = (from: Command, own: readonly string[], words: number) => {
    const { flags, rest = [] } = writtenFlags(from, [...own, 'json']);
    const places = new Map([...flags].filter(([, value]) => value !== ONLY_A_TIME));
    const settings = loadSettings(doctorSpec, { flags: places, rest: rest.slice(words), env: around.env });
    return { settings, around, json: from.getOptionValue('json') === true };
  };
  const where = command('where', 'what became of a file, from the receipts in the bucket').argument('<name>');
  addSettingsFlags(where, doctorSpec, shown);
  addSpan(where, '7 days ago');
  where.option('--json', 'print JSON');
  where.action(async (name: string, options: SpanFlags) => {
    const { whereCommand } = await import('./commands/receipts.ts');
    ended(await whereCommand(asked(where, ['from', 'until'], 1), name, options));
  });

  const receipts = command('receipts', 'what was proved and freed in a time');
  addSettingsFlags(receipts, doctorSpec, shown);
  addSpan(receipts, 'a day ago');
  receipts.option('--json', 'print the lines as they are: newline-delimited JSON');
  receipts.action(async (options: SpanFlags) => {
    const { receiptsCommand } = await import('./commands/receipts.ts');
    ended(await receiptsCommand(asked(receipts, ['from', 'until'], 0), options));
  });

  const verify = command('verify', "hold a day's receipts against the bucket's listing and the local files");
  addSettingsFlags(verify, doctorSpec, shown);
  verify
    .option('--day <DATE>', 'the day, in UTC (default: today)')
    .option('--json', 'print newline-delimited JSON');
  verify.action(async (options: { day?: string }) => {
    const { verifyCommand } = await import('./commands/receipts.ts');
    ended(await verifyCommand(asked(verify, ['day'], 0), options.day));
  });
}

/** The value of a `--to` that was no destination: nobody can type it. */
const ONLY_A_TIME = '\0';

/** `--from` and `--until`. `--to` is the destination of every command; a time behind it is what people mean by it. */
function addSpan(command: Command, since: string): void {
  command
    .option('--from <TIME>', `from then on, e.g. 2026-11-20T06 or 12h for so long ago (default: ${since})`)
    .option('--until <TIME>', 'until then (default: now); --to followed by a time says the same');
  const to = command.options.find((option) => option.attributeName() === 'to');
  to?.argParser<string | undefined>((value, previous) => {
    if (timeOf(value, 0) === undefined) return value;
    command.setOptionValue('until', value);
    return previous ?? ONLY_A_TIME;
  });
  command.addHelpText(
    'after',
    '\nA folder that is called like a time is written with its path: --to ./2026-11-20',
  );
}

/** The commands people may type. */
export function commandNames(program: Command): string[] {
  return [...program.createHelp().visibleCommands(program)].map((command) => command.name());
}

/** The demo's writer, which runs as a process of its own. */
function addVendorWriter(program: Command, ended: (exit: ExitName) => void): void {
  const writer = program.command('vendor-writer', { hidden: true }).description("the demo's writer");
  for (const name of ['manifest', 'rate', 'size', 'burst', 'burst-size', 'pattern', 'seed'])
    writer.addOption(new Option(`--${name} <VALUE>`));
  writer.requiredOption('--dir <DIR>');
  writer.action(async (flags: { dir: string }) => {
    const { runWriterCommand } = await import('./demo/writer-process.ts');
    ended(await runWriterCommand(flags));
  });
}

function exitCodesText(): string {
  const lines = exitCodes().map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}`;
}
