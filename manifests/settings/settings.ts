// One target's settings, `Pulumi.<target>.yaml`: the schema of all of them, and what the plan starts from.
import * as z from 'zod';
import { type PlanInputs, SITES } from '../../app/plan/inputs.ts';
import { AWS_FIELDS } from './aws.ts';
import { BUCKET_FIELDS } from './bucket.ts';
import { CLUSTER_FIELDS } from './cluster.ts';
import { VOLUME_FIELDS } from './volume.ts';
import { WRITER_FIELDS } from './writer.ts';

export const schema = z.object({
  ...CLUSTER_FIELDS,
  ...BUCKET_FIELDS,
  ...WRITER_FIELDS,
  ...VOLUME_FIELDS,
  ...AWS_FIELDS,
});

/** Times in milliseconds, sizes in bytes, CPU in millicores, bandwidth in bits per second. */
export type TargetSettings = Readonly<z.output<typeof schema>>;

/** The plan's inputs: those of the smallest known site with what is written over it. */
export function planInputsOf(settings: TargetSettings): PlanInputs {
  const base: Required<Pick<PlanInputs, keyof typeof SITES.small>> = SITES.small;
  const names: readonly string[] = [...Object.keys(base), 'bandwidth', 'drainMs'];
  const written = Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => names.includes(name) && value !== undefined),
  );
  return { ...base, burstSizeBytes: settings.sizeBytes, ...written };
}
