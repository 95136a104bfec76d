// The plan as people read it: a table for the terminal, Markdown, and JSON for programs.
import { shown } from './figure.ts';
import type { Observation } from './observe.ts';
import type { FigureName, Plan } from './plan.ts';
import { PRICES } from './prices.ts';

/** Every figure once, in the order in which one follows from the other. */
export const GROUPS: readonly {
  readonly title: string;
  readonly rows: readonly (readonly [FigureName, string])[];
}[] = [
  {
    title: 'Disk',
    rows: [
      ['shiftFiles', 'Files of a shift'],
      ['shiftBytes', 'Disk for a shift'],
      ['retainedFiles', 'Files within the retention'],
      ['retainedBytes', 'Disk for the retention'],
      ['outageFiles', 'Files of the longest outage'],
      ['outageBytes', 'Disk for the outage'],
      ['peakFiles', 'Files at the worst'],
      ['peakBytes', 'Disk at the worst'],
      ['sizeLimitBytes', 'Size limit of the volume'],
      ['lowWatermarkBytes', 'Low watermark'],
      ['highWatermarkBytes', 'High watermark'],
      ['criticalWatermarkBytes', 'Critical watermark'],
      ['inodes', 'Inodes of the volume'],
      ['fileSystemBytes', 'File system below it'],
      ['fullInSeconds', 'Full without S3 in'],
      ['fullFreeingInSeconds', 'Full, freeing early, in'],
    ],
  },
  {
    title: 'Pod',
    rows: [
      ['stateSizeBytes', 'State volume'],
      ['writerEphemeralStorageLimitBytes', "Writer's ephemeral storage"],
      ['uploaderEphemeralStorageLimitBytes', "Uploader's ephemeral storage"],
      ['volumeMemoryBytes', 'Memory of the volume'],
      ['memoryRequestBytes', 'Memory request'],
      ['memoryLimitBytes', 'Memory limit'],
      ['cpuRequestMillicores', 'CPU request'],
      ['cpuLimitMillicores', 'CPU limit'],
      ['drainSeconds', 'Drain'],
      ['gracePeriodSeconds', 'Grace period'],
    ],
  },
  {
    title: 'Network',
    rows: [
      ['filesPerDay', 'Files a day'],
      ['contentBytesPerDay', 'Content a day'],
      ['averageBandwidth', 'Bandwidth, average'],
      ['burstBandwidth', 'Bandwidth, burst'],
      ['catchUpBandwidth', 'Bandwidth, catching up'],
      ['neededBandwidth', 'Bandwidth to ask for'],
      ['catchUpRate', 'Rate to catch up in time'],
      ['uploadRate', 'Rate that is possible'],
      ['catchUpSeconds', 'Caught up after'],
    ],
  },
  {
    title: 'Money',
    rows: [
      ['putsPerDay', 'PUT'],
      ['listsPerDay', 'LIST'],
      ['putDollarsPerDay', 'PUT, in dollars'],
      ['requestDollarsPerMonth', 'Requests'],
      ['storageDollarsFirstMonth', 'Storage, first month'],
      ['storageDollarsPerMonth', 'Storage, steady'],
      ['dollarsFirstMonth', 'All, first month'],
      ['dollarsPerMonth', 'All, steady'],
      ['packingSavesDollarsPerMonth', 'Packing would save'],
    ],
  },
];

/** Columns for a terminal: what, how much, why. */
export function planText(plan: Plan): string {
  const cells = GROUPS.flatMap(({ rows }) =>
    rows.map(([name, title]) => ({ title, value: shown(plan[name]) })),
  );
  const titleWidth = Math.max(...cells.map(({ title }) => title.length));
  const valueWidth = Math.max(...cells.map(({ value }) => value.length));
  const tables = GROUPS.map(({ title, rows }) => {
    const lines = rows.map(
      ([name, label]) =>
        `  ${label.padEnd(titleWidth)}  ${shown(plan[name]).padStart(valueWidth)}  ${plan[name].why}\n`,
    );
    return `${title}\n${lines.join('')}`;
  });
  const notes = [
    ...plan.warnings.map((warning) => `  ! ${warning}`),
    `  ${plan.networkAsk}`,
    `  ${pricesNote()}`,
  ];
  return `${tables.join('\n')}\nNotes\n${notes.join('\n')}\n`;
}

/** One table per group and the notes as a list. */
export function planMarkdown(plan: Plan): string {
  const tables = GROUPS.map(({ title, rows }) => {
    const lines = rows.map(([name, label]) => `| ${label} | ${shown(plan[name])} | ${plan[name].why} |\n`);
    return `**${title}**\n\n| What | How much | Why |\n|---|---|---|\n${lines.join('')}`;
  });
  const notes = [...plan.warnings, plan.networkAsk, pricesNote()].map((note) => `- ${note}\n`);
  return `${tables.join('\n')}\n${notes.join('')}`;
}

/** Values in their units, each with its reason. An Infinity, which JSON has not, is null. */
export function planJson(plan: Plan, observed?: Observation): string {
  return `${JSON.stringify({ ...plan, prices: PRICES, ...(observed ? { observed } : {}) }, null, 2)}\n`;
}

/** What a page shows of several plans side by side. */
const COMPARED: readonly FigureName[] = [
  'retainedFiles',
  'retainedBytes',
  'outageBytes',
  'sizeLimitBytes',
  'fileSystemBytes',
  'fullInSeconds',
  'stateSizeBytes',
  'memoryRequestBytes',
  'memoryLimitBytes',
  'cpuRequestMillicores',
  'cpuLimitMillicores',
  'drainSeconds',
  'gracePeriodSeconds',
  'neededBandwidth',
  'catchUpSeconds',
  'putDollarsPerDay',
  'dollarsFirstMonth',
  'dollarsPerMonth',
  'packingSavesDollarsPerMonth',
];

/** The main figures of several plans side by side, and below them each plan's arithmetic. */
export function plansMarkdown(plans: Readonly<Record<string, Plan>>): string {
  const labels = new Map(GROUPS.flatMap(({ rows }) => rows));
  const names = Object.keys(plans);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rows = COMPARED.map((name) =>
    line([labels.get(name) ?? name, ...Object.values(plans).map((plan) => shown(plan[name]))]),
  );
  const reasons = Object.entries(plans).map(([name, plan]) => {
    const items = COMPARED.map((figure) => `- ${labels.get(figure)}: ${plan[figure].why}.\n`);
    return `Why, with ${name}:\n\n${items.join('')}- To the networking team: ${plan.networkAsk}\n`;
  });
  const head = `${line(['', ...names])}|${'---|'.repeat(names.length + 1)}\n`;
  return `${head}${rows.join('')}\n${reasons.join('\n')}\n${pricesNote()}\n`;
}

function pricesNote(): string {
  return `Prices: ${PRICES.region}, ${PRICES.asOf}, ${PRICES.sources.join(' and ')}; a GB is 2^30 bytes, a month 30 days.`;
}
