// The figures for people: a table for the terminal and docs/benchmark.md.
import { formatBytes } from '../app/core/units.ts';
import { CASES, caseNamed, isWindow } from './cases.ts';
import {
  type CaseResult,
  type ContenderResult,
  cpuRatios,
  PRICES,
  type Report,
  type Summary,
  summarize,
} from './results.ts';

interface Column {
  readonly title: string;
  readonly cell: (summary: Summary, contender: ContenderResult, result: CaseResult) => string;
}

const COLUMNS: readonly Column[] = [
  { title: '', cell: (_, { name }) => name },
  { title: 'CPU', cell: ({ cpuMs }) => seconds(cpuMs) },
  { title: "of it the kernel's", cell: ({ systemMs }) => seconds(systemMs) },
  {
    title: 'CPU per file',
    cell: ({ cpuMsPerFile }, _, result) => perFile(result, `${cpuMsPerFile.toFixed(3)} ms`),
  },
  {
    title: "Ferry's CPU is",
    cell: (_, { name }, result) => {
      const ratio = cpuRatios(result)[name];
      return ratio === undefined ? '' : `${ratio.toFixed(2)} of it`;
    },
  },
  { title: 'wall', cell: ({ wallMs }) => seconds(wallMs) },
  { title: 'of a core', cell: ({ cpuMs, wallMs }) => `${((cpuMs / wallMs) * 100).toFixed(1)} %` },
  {
    title: 'files/s',
    cell: ({ filesPerSecond }, _, result) => perFile(result, String(Math.round(filesPerSecond))),
  },
  { title: 'peak memory', cell: ({ peakRssBytes }) => formatBytes(peakRssBytes) },
  {
    title: 'of it anonymous',
    cell: ({ peakAnonBytes }) => (peakAnonBytes === undefined ? '-' : formatBytes(peakAnonBytes)),
  },
  {
    title: 'requests',
    cell: ({ requests }) =>
      Object.entries(requests)
        .filter(([, count]) => count > 0)
        .map(([method, count]) => `${count} ${method}`)
        .join(', ') || 'none',
  },
  {
    title: '$ per million files',
    cell: ({ dollarsPerMillion }, _, result) => perFile(result, dollarsPerMillion.toFixed(2)),
  },
];

/** A figure per file says something only where the case's files were moved. */
const perFile = ({ name, files }: CaseResult, cell: string): string =>
  files <= 1 || isWindow(name) ? '-' : cell;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

function rows(result: CaseResult): string[][] {
  return result.contenders.map((contender) => {
    const summary = summarize(contender.runs, result.files);
    return COLUMNS.map(({ cell }) => cell(summary, contender, result));
  });
}

const heading = (result: CaseResult): string => `${result.title} (${result.name}; server: ${result.server})`;
const roundsOf = (result: CaseResult): number => result.contenders[0]?.runs.length ?? 0;
const rounds = (count: number): string => (count === 1 ? '1 round' : `${count} rounds`);

/** For the terminal. */
export function table(report: Report): string {
  const lines: string[] = [];
  for (const result of report.cases) {
    const all = [COLUMNS.map(({ title }) => title), ...rows(result)];
    const widths = COLUMNS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    lines.push('', `${heading(result)}; medians of ${roundsOf(result)}`);
    for (const row of all)
      lines.push(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    for (const { name, why } of result.missing) lines.push(`Not measured: ${name}: ${why}`);
  }
  const { machine } = report;
  lines.push(
    '',
    `${machine.cores} cores, ${machine.cpu}, ${formatBytes(machine.memoryBytes)}, ${machine.kernel}; ` +
      `accounting: ${report.accounting}; ${versions(report)}`,
    '',
  );
  return lines.join('\n');
}

function versions(report: Report): string {
  return Object.entries(report.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

/** docs/benchmark.md, whole. */
export function markdown(report: Report): string {
  const { machine } = report;
  const parts = [
    '# What moving files costs',
    '',
    `<!-- Made by \`npm run bench -- --write-docs\`: change bench/report.ts instead. -->`,
    '',
    `Ferry and its peers, measured in the same run against the same server on one machine: ` +
      `${machine.cores} cores (${machine.cpu}), ${formatBytes(machine.memoryBytes)} memory, ${machine.kernel}. ` +
      `${versions(report)}.`,
    '',
    '![CPU per file, Ferry and its peers](benchmark.svg)',
    '',
    'Measure on your own machine: `npm run bench -- --quick` takes about a minute, `npm run bench -- --help` tells the rest.',
    '',
    '## How it is measured',
    '',
    '- In all cases but `start`, `steady` and `names` every program runs whole, from start to exit, as its users run it. ' +
      'For Ferry that is the shipped bundle with settling (two looks a second apart where a file is young), hashing, its ' +
      'ledger and the proof by listing.',
    '- Rounds alternate between the programs; figures are medians, each by itself. All rounds are in ' +
      '[benchmark.json](benchmark.json). Each case shows the commands of its own day.',
    `- CPU is user and system time of the process and its children (${report.accounting}); memory is the peak of its ` +
      'resident set, file pages included; anonymous memory is the highest of looks every 50 ms.',
    '- `start`, `steady` and `names` measure a part of the life of a Ferry that runs on, read from /proc, CPU in ticks of ' +
      '10 ms: `start` until /readyz first answers 200, `steady` a window after a minute in which Ferry starts up, `names` a ' +
      'window from the start on. CPU and time are those of this part. Memory is the peak from the start to its end; ' +
      'anonymous memory is that of its end in `start`, otherwise the highest of looks every second. Requests are counted ' +
      'from start to exit. The files of a window are not the files of its case: nothing is told per file.',
    '- After every run the objects and bytes in the bucket, without receipts, must equal the source, and a program that ' +
      'frees must leave no file, or the benchmark fails. `names` ends long before everything is sent: there something ' +
      'must have been sent.',
    "- Ferry's CPU is compared with like: Ferry freeing with peers that delete what they moved, Ferry keeping with peers " +
      'that keep it.',
    '- The null S3 (`bench/null-s3.ts`) hashes and forgets bodies. It shares the cores with the program under test, so ' +
      'times and files/s say less than CPU does.',
    `- Dollars are the counted requests at S3 Standard's list prices in us-east-1 as of ${PRICES.asOf}: PUT, POST and ` +
      'LIST $0.005, GET and HEAD $0.0004 per 1,000. Storage and traffic are not in them.',
    '- Files are read from the page cache; a cold disk adds the same wait to everyone.',
    '',
  ];
  for (const result of report.cases) {
    parts.push(
      `## ${result.title}`,
      '',
      `Case \`${result.name}\`, server: ${result.server}, ${rounds(roundsOf(result))}, ${result.date}.`,
      '',
    );
    const remark = caseNamed(result.name)?.remark;
    if (remark !== undefined) parts.push(remark, '');
    if (result.contenders.length > 0) {
      parts.push(
        line(COLUMNS.map(({ title }) => title)),
        line(COLUMNS.map(() => '---')),
        ...rows(result).map(line),
        '',
      );
      for (const { name, note, command } of result.contenders)
        parts.push(`- ${name}: ${note}.\n  \`${command}\``);
    }
    for (const { name, why } of result.missing) parts.push(`- Not measured: ${name}: ${why}`);
    parts.push('');
  }
  return [...parts, ...unmeasured(report)].join('\n');
}

/** The cases that are defined and not on record. */
function unmeasured(report: Report): string[] {
  const lacking = CASES.filter(({ name }) => report.cases.every((result) => result.name !== name));
  if (lacking.length === 0) return [];
  return [
    '## Not measured',
    '',
    'These cases are defined and have no figures yet:',
    '',
    ...lacking.map(({ name, title }) => `- ${title}: \`npm run bench -- --case ${name} --write-docs\`.`),
    '',
  ];
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
