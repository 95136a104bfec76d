// `ferry plan`: reads the flags, measures a directory when asked to, and prints the plan.
import { systemClock } from '../core/clock.ts';
import { type ExitName, FerryError } from '../core/errors.ts';
import { loadSettings, type SettingsInput } from '../core/settings/settings.ts';
import { toBytePath } from '../files/paths.ts';
import { startWalk } from '../files/walk.ts';
import { type PlanInputs, planProblems } from '../plan/inputs.ts';
import { createObserver, type Observation, observationText } from '../plan/observe.ts';
import { planCapacity } from '../plan/plan.ts';
import { planJson, planMarkdown, planText } from '../plan/table.ts';
import { inputsOf, type PlanSettings, planSpec } from './plan-settings.ts';
import type { Surroundings } from './surroundings.ts';

/** @throws FerryError `config` for wrong flags, `source` for a directory that cannot be measured */
export async function planCommand(
  written: Pick<SettingsInput, 'flags' | 'rest'>,
  { env, stdout, stderr }: Surroundings,
): Promise<ExitName> {
  const settings = loadSettings(planSpec, { ...written, env });
  const measured = settings.observe === undefined ? undefined : await measure(settings.observe, settings);
  for (const problem of measured?.problems ?? [])
    stderr.write(`ferry: ${problem}; what is there may need more.\n`);
  const inputs = inputsOf(settings, measured?.inputs);
  const [problem] = planProblems(inputs);
  if (problem)
    throw new FerryError('config', `No plan can be made: ${problem.wrong}`, `It takes ${problem.expected}.`);
  const plan = planCapacity(inputs);
  const { seen } = measured ?? {};
  if (settings.json) stdout.write(planJson(plan, seen));
  else if (settings.markdown)
    stdout.write(`${seen ? `\`\`\`\n${observationText(seen)}\`\`\`\n\n` : ''}${planMarkdown(plan)}`);
  else
    stdout.write(`${seen ? `Seen in ${settings.observe}\n${observationText(seen)}\n` : ''}${planText(plan)}`);
  return 'ok';
}

interface Measured {
  readonly seen: Observation;
  readonly inputs: Partial<PlanInputs>;
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** One walk; reads times and sizes only, keeps no names. */
async function measure(directory: string, settings: PlanSettings): Promise<Measured> {
  const { blockSizeBytes, shiftMs } = inputsOf(settings);
  const observer = createObserver({ blockSizeBytes, nowMs: systemClock.now() });
  const { report, batches } = startWalk({
    root: toBytePath(directory),
    clock: systemClock,
    cpuShare: 1,
    signal: new AbortController().signal,
    onAside: () => {},
  });
  for await (const batch of batches)
    for (const { path, stat } of batch)
      observer.add({ mtimeMs: stat.mtimeMs, sizeBytes: stat.size, pathLength: path.length });
  const seen = observer.result();
  if (seen.files === 0)
    throw new FerryError(
      'source',
      `There is nothing to plan from in ${directory}: ${report.problems[0] ?? 'it holds no file'}`,
      'Name a directory that the writer has filled for a day, or give --rate and --size',
    );
  return { seen, inputs: observer.inputs(shiftMs), problems: report.problems };
}
