// From charts to YAML files: everything is made and checked first, and only then written, so that a refused target
// leaves what was there as it was.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Chart, Yaml } from 'cdk8s';
import { parseAllDocuments } from 'yaml';
import { FerryError } from '../app/core/errors.ts';
import { type Figure, shown } from '../app/plan/figure.ts';
import { lostFields } from './guard.ts';
import { schemaProblems } from './schema-check.ts';
import type { Target } from './target.ts';
import type { PodFigures } from './values.ts';

/** YAML texts by file name. */
export type Files = ReadonlyMap<string, string>;

/** @throws FerryError `internal` when a field was lost on the way or the Kubernetes schema refuses something. */
export async function synthesize(target: Target): Promise<Files> {
  const files = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, chart] of target.charts) {
    const text = `${headOf(target, name)}${Yaml.stringify(...chart.toJson())}`;
    problems.push(...(await chartProblems(chart, text)));
    files.set(`${name}.yaml`, text);
  }
  if (problems.length > 0)
    throw new FerryError(
      'internal',
      `The manifests of ${target.name} are not what was meant, nothing was written:\n\n  ${problems.join('\n  ')}\n\n`,
      'This is a defect in manifests/: a field was lost by the chart library, or Kubernetes does not know it.',
    );
  return files;
}

/** What is wrong with a chart's final YAML: lost fields first, then what the schema refuses. */
export async function chartProblems(chart: Chart, text: string): Promise<string[]> {
  const documents = documentsOf(text);
  const problems = lostFields(chart, documents);
  for (const document of documents) problems.push(...(await schemaProblems(document)));
  return problems;
}

/** Kubernetes reads YAML 1.1: what one of the two versions takes for something else must be quoted. */
export function documentsOf(text: string): unknown[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [value];
  });
}

/** Replaces the folder `<directory>/<target>` by these files; other folders stay. */
export function writeFiles(directory: string, target: string, files: Files): string[] {
  const folder = join(directory, target);
  const fresh = join(directory, `.${target}.new`);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(fresh, name), text);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

const LABELS: Readonly<Record<keyof PodFigures, string>> = {
  sizeLimit: 'shared volume',
  claimSize: 'its claim',
  stateSize: "the uploader's volume",
  memoryRequest: "the uploader's memory, requested",
  memoryLimit: "the uploader's memory, at most",
  cpuRequest: "the uploader's CPU, requested",
  cpuLimit: "the uploader's CPU, at most",
  writerMemory: "the writer's memory",
  writerEphemeralStorage: "the writer's ephemeral storage",
  uploaderEphemeralStorage: "the uploader's ephemeral storage",
  drain: 'drain',
  gracePeriod: 'grace period',
};

/** Comment lines: where the file comes from and, for the pod, each number with its reason. */
function headOf({ name, values }: Target, file: string): string {
  const lines = [`Made by \`npm run synth\` from Pulumi.${name}.yaml; do not edit.`];
  if (file === '2-writer') {
    const entries = Object.entries(values.figures) as [keyof PodFigures, Figure][];
    for (const [figure, value] of entries) {
      if (figure === 'claimSize' && values.plan.inputs.volume !== 'ephemeral') continue;
      lines.push(`${LABELS[figure]}: ${shown(value)}, ${value.why}`);
    }
    lines.push(...values.plan.warnings.map((warning) => `Note: ${warning}`));
  }
  return lines.map((line) => `# ${line}\n`).join('');
}
