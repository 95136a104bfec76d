// The flags of `ferry plan`: every input of the capacity plan, the two known sites, and how the answer is printed.
import * as z from 'zod';
import { choice, directory, field, optional, toggle } from '../core/settings/fields.ts';
import type { Conflict, SettingsSpec } from '../core/settings/settings.ts';
import { parseDurationMs } from '../core/units.ts';
import { OTHER_INPUTS, WRITER_GROUP, WRITER_INPUTS } from '../plan/fields.ts';
import { type PlanInputs, planProblems, SITE_NAMES, SITES } from '../plan/inputs.ts';

const BUCKET = 'The bucket';
const OUTPUT = 'The answer';

const OF_SITE = 'as the site has it';

const schema = z.object({
  site: optional(
    choice(
      {
        group: WRITER_GROUP,
        what: 'Start from a known site: small makes 12 files/s of 1 KB, burst makes 5,000 files of 13 KB at each start',
        example: 'burst',
        otherwise: 'small',
      },
      SITE_NAMES,
    ),
  ),
  observe: optional(
    directory({
      group: WRITER_GROUP,
      what: "Measure this directory's files and plan from what is seen; other flags win over it",
      example: '/var/file-writer/data',
      otherwise: 'nothing is measured',
    }),
  ),
  rate: optional(WRITER_INPUTS.rate, OF_SITE),
  sizeBytes: optional(WRITER_INPUTS.sizeBytes, OF_SITE),
  burst: optional(WRITER_INPUTS.burst, OF_SITE),
  burstSizeBytes: optional(WRITER_INPUTS.burstSizeBytes, OF_SITE),
  ...OTHER_INPUTS,
  storageClass: optional(
    choice(
      {
        group: BUCKET,
        what: 'Class that a lifecycle rule moves the objects to',
        example: 'GLACIER_IR',
        otherwise: 'STANDARD',
      },
      ['STANDARD', 'STANDARD_IA', 'GLACIER_IR', 'DEEP_ARCHIVE'],
    ),
  ),
  lifetimeMs: optional(
    field(
      { group: BUCKET, what: 'How long objects are kept', example: '365d', otherwise: '365d' },
      'DURATION|forever',
      'a duration (ms, s, m, h or d) or forever',
      (text) => {
        const value = text === 'forever' ? Number.POSITIVE_INFINITY : parseDurationMs(text);
        if (value === undefined) return { wrong: 'is no duration' };
        return value > 0 ? { value } : { wrong: 'must be more than nothing' };
      },
    ),
  ),
  json: toggle({ group: OUTPUT, what: 'Print JSON', default: 'false' }),
  markdown: toggle({ group: OUTPUT, what: 'Print Markdown', default: 'false' }),
});

export type PlanSettings = Readonly<z.output<typeof schema>>;

export const planSpec: SettingsSpec<PlanSettings> = { schema, check };

/** Inputs from the flags over what was observed over the site. */
export function inputsOf(settings: Partial<PlanSettings>, observed: Partial<PlanInputs> = {}): PlanInputs {
  const { site, observe: _observe, json: _json, markdown: _markdown, ...given } = settings;
  // What was measured of a file's blocks holds only for the sizes that were measured.
  const { allocatedBytes, ...seen } = observed;
  const measured =
    given.sizeBytes === undefined && given.blockSizeBytes === undefined ? { allocatedBytes } : {};
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...SITES[site ?? 'small'], ...seen, ...measured, ...written };
}

function check(values: Partial<PlanSettings>): Conflict<keyof PlanSettings>[] {
  const conflicts: Conflict<keyof PlanSettings>[] = [];
  if (values.json && values.markdown)
    conflicts.push({
      fields: ['json', 'markdown'],
      wrong: 'two forms of the answer are asked for',
      expected: 'one of them',
      remedy: 'leave one out',
    });
  if (values.site !== undefined && values.observe !== undefined)
    conflicts.push({
      fields: ['site', 'observe'],
      wrong: 'a known site and a directory to measure are both named',
      expected: 'one of them',
      remedy: 'leave one out',
    });
  for (const problem of planProblems(inputsOf(values)))
    conflicts.push({ ...problem, fields: problem.fields.flatMap((name) => (isSetting(name) ? [name] : [])) });
  return conflicts;
}

function isSetting(name: string): name is keyof PlanSettings {
  return Object.hasOwn(schema.shape, name);
}
