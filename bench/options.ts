// The bench's command line.
import { Command, InvalidArgumentError } from 'commander';
import { CASES } from './cases.ts';

export interface BenchOptions {
  readonly quick: boolean;
  readonly large: boolean;
  readonly check: boolean;
  readonly writeDocs: boolean;
  /** Empty: as the other flags say. */
  readonly cases: readonly string[];
  readonly rounds: number;
  /** Overrides every case's number of files: for trying out. */
  readonly files: number | undefined;
  readonly json: string | undefined;
  readonly dir: string | undefined;
}

const EXAMPLES = `
Examples:
  npm run bench -- --quick              10,000 files, Ferry, s5cmd and the plain SDK, 2 rounds: about a minute
  npm run bench -- --case cold-1k       one case, all peers, 5 rounds
  npm run bench -- --large --write-docs everything, and docs/benchmark.{json,md,svg} from it: hours
  npm run bench -- --check              fails when a CPU ratio got 25 % worse than in docs/benchmark.json

Cases:
${CASES.map(({ name, title, large }) => `  ${name.padEnd(14)} ${title}${large ? ' (--large)' : ''}`).join('\n')}

Peers are installed from PyPI into .cache/peers at their first use; one that cannot be is named in the output.
Leave the machine alone while it runs: rounds alternate, but a busy machine still shows.
`;

/** Prints and exits on --help and on mistakes, as commander does. */
export function parseOptions(words: readonly string[]): BenchOptions {
  const program = new Command('npm run bench --')
    .description(
      'Measure what moving small files costs: CPU, memory, requests and time, Ferry beside its peers.',
    )
    .option('--quick', 'one small case, 2 rounds, without rclone and the AWS CLI')
    .option('--large', 'the cases of a million files too')
    .option('--case <NAME...>', 'only these cases')
    .option(
      '--rounds <N>',
      'rounds of each case, contenders alternating (default: 5; 2 with --quick, 3 with --check)',
      number,
    )
    .option('--files <N>', 'cut or stretch every case to so many files, to try the bench itself', number)
    .option('--json <FILE>', 'write all rounds as JSON')
    .option(
      '--write-docs',
      'write docs/benchmark.json, .md and .svg; with --case only these cases are replaced',
    )
    .option(
      '--check',
      'compare CPU ratios of the quick case with docs/benchmark.json; exit 1 when one got worse',
    )
    .option(
      '--dir <DIR>',
      "where the files to move are made (default: the system's directory for temporary files)",
    )
    .addHelpText('after', EXAMPLES);
  program.parse(words, { from: 'user' });
  const given = program.opts<{
    quick?: true;
    large?: true;
    case?: string[];
    rounds?: number;
    files?: number;
    json?: string;
    writeDocs?: true;
    check?: true;
    dir?: string;
  }>();
  const cases = given.case ?? [];
  const unknown = cases.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) program.error(`There is no case ${unknown.join(', ')}. See --help.`);
  if (given.check && given.files !== undefined)
    program.error('--check compares like with like: leave --files away.');
  if (given.writeDocs && (given.files !== undefined || given.quick || given.check)) {
    program.error('--write-docs records full cases: leave --files, --quick and --check away.');
  }
  return {
    quick: given.quick === true,
    large: given.large === true,
    check: given.check === true,
    writeDocs: given.writeDocs === true,
    cases,
    rounds: given.rounds ?? (given.check ? 3 : given.quick ? 2 : 5),
    files: given.files,
    json: given.json,
    dir: given.dir,
  };
}

function number(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('It takes a number above 0.');
  return Number(text);
}
