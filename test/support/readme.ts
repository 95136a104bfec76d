// Keeps the README's tables equal to the code: `npm run docs` rewrites what stands between the markers
// `<!-- name:begin -->` and `<!-- name:end -->`; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../../app/command-line.ts';
import { EXAMPLES } from '../../app/commands/examples.ts';
import { exitCodes } from '../../app/commands/exit-codes.ts';
import type { Metrics } from '../../app/core/metrics.ts';
import { cell, settingsMarkdown } from '../../app/core/settings/table.ts';
import { eventsMetrics } from '../../app/events/metrics.ts';
import { schemaMarkdown } from '../../app/events/settings/markdown.ts';
import { filesMetrics } from '../../app/files/metrics.ts';
import { filesSpec } from '../../app/files/settings.ts';
import { SITES } from '../../app/plan/inputs.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { plansMarkdown } from '../../app/plan/table.ts';
import { dashboard } from '../../manifests/dashboard.ts';

export const README = join(import.meta.dirname, '../../README.md');

/** Files that are generated as a whole. */
export const WHOLE: Readonly<Record<string, () => string>> = {
  'docs/grafana.json': () => `${JSON.stringify(dashboard(), undefined, 2)}\n`,
};

/** The events mover's page, and its generated part. */
export const EVENTS_PAGE = join(import.meta.dirname, '../../docs/events.md');
export const EVENTS_SECTIONS: Readonly<Record<string, () => string>> = {
  settings: schemaMarkdown,
  metrics: () => metricsTable(eventsMetrics(neverRead)),
};

/** The README's generated parts by marker name. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  settings: () => settingsMarkdown(filesSpec),
  'exit-codes': () =>
    table(
      ['Code', 'Name', 'Meaning'],
      exitCodes().map(({ code, name, meaning }) => [`\`${code}\``, name, meaning]),
    ),
  metrics: () => metricsTable(filesMetrics(neverRead)),
  capacity: () =>
    plansMarkdown({
      '12 files/s of 1 KB': planCapacity(SITES.small),
      '5,000 files of 13 KB at every start': planCapacity(SITES.burst),
    }),
  commands: () => {
    const commands = table(
      ['Command', 'What it does'],
      createProgram({ env: {}, stdout: process.stdout, stderr: process.stderr }, () => {})
        .commands.filter((command) => command.name() in EXAMPLES)
        .map((command) => [`\`ferry ${command.name()}\``, command.description()]),
    );
    const examples = Object.values(EXAMPLES)
      .flat()
      .map(({ line, does }) => `# ${does}\n${line}`);
    return `${commands}\nExamples:\n\n\`\`\`sh\n${examples.join('\n')}\n\`\`\`\n`;
  },
};

/** The README with every generated part renewed, and the names of the markers it lacks. */
export function renew(
  readme: string,
  sections: Readonly<Record<string, () => string>> = SECTIONS,
): { text: string; missing: string[] } {
  const missing: string[] = [];
  let text = readme;
  for (const [name, generate] of Object.entries(sections)) {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) missing.push(name);
    else text = `${text.slice(0, from)}${begin}\n\n${generate().trim()}\n\n${text.slice(to)}`;
  }
  return { text, missing };
}

function metricsTable(metrics: Metrics): string {
  const rows = metrics.describe().map(({ name, type, help }) => [`\`${name}\``, type, help]);
  return table(['Metric', 'Type', 'Meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')).replaceAll(' ', '') + rows.map(line).join('');
}

function neverRead(): never {
  throw new Error('a description needs no snapshot');
}

if (import.meta.main) {
  for (const [page, sections] of [
    [README, SECTIONS],
    [EVENTS_PAGE, EVENTS_SECTIONS],
  ] as const) {
    const { text, missing } = renew(readFileSync(page, 'utf8'), sections);
    for (const name of missing)
      console.error(`${page} has no <!-- ${name}:begin --> … <!-- ${name}:end -->.`);
    writeFileSync(page, text);
    if (missing.length > 0) process.exitCode = 1;
  }
  for (const [path, generate] of Object.entries(WHOLE))
    writeFileSync(join(import.meta.dirname, '../..', path), generate());
}
