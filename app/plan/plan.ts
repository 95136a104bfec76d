// The capacity plan: from what the writer does and what must be survived to every number of the pod, each with its
// arithmetic. Pure; the manifests take their numbers from here.
import { formatDuration } from '../core/units.ts';
import { type CostPlan, planCost } from './cost.ts';
import { bitRate, bytes, type Figure, number, shown } from './figure.ts';
import { type InputProblem, type PlanInputs, planProblems } from './inputs.ts';
import { HOUR_MS } from './measured.ts';
import { planResources, type ResourcePlan } from './resources.ts';
import { planTraffic, type TrafficPlan } from './traffic.ts';
import { planVolume, type VolumePlan } from './volume.ts';

/** Every number by a stable name, each a `Figure` of value, unit and reason. */
export interface Plan extends VolumePlan, TrafficPlan, ResourcePlan, CostPlan {
  readonly inputs: PlanInputs;
  /** One sentence to hand to the networking team. */
  readonly networkAsk: string;
  /** What works and may still surprise: one sentence each. */
  readonly warnings: readonly string[];
}

/** The names of the plan's figures. */
export type FigureName = {
  [Name in keyof Plan]: Plan[Name] extends Figure ? Name : never;
}[keyof Plan];

/** Inputs that make no plan; carries every problem. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly problems: readonly InputProblem[];
  constructor(problems: readonly InputProblem[]) {
    super(problems.map(({ fields, wrong }) => `${fields.join(', ')}: ${wrong}`).join('; '));
    this.problems = problems;
  }
}

/** @throws PlanError with everything that is wrong; ask `planProblems` first to show it in a caller's own words. */
export function planCapacity(inputs: PlanInputs): Plan {
  const problems = planProblems(inputs);
  if (problems.length > 0) throw new PlanError(problems);
  const volume = planVolume(inputs);
  const traffic = planTraffic(inputs, volume);
  const resources = planResources(inputs, volume, traffic);
  const cost = planCost(inputs, traffic);
  const figures = { ...volume, ...traffic, ...resources, ...cost };
  return {
    inputs,
    ...figures,
    networkAsk: networkAsk(inputs, figures),
    warnings: warningsOf(inputs, figures),
  };
}

type Figures = VolumePlan & TrafficPlan & ResourcePlan & CostPlan;

function networkAsk(inputs: PlanInputs, plan: Figures): string {
  return (
    `Please allow ${bitRate(plan.neededBandwidth.value)} of outgoing HTTPS (TCP 443) to S3 and STS, ` +
    `best through VPC endpoints: ${bitRate(plan.averageBandwidth.value)} on average, ` +
    (inputs.burst > 0 ? `${bitRate(plan.burstBandwidth.value)} for a minute after a start, ` : '') +
    'and ' +
    `${bitRate(plan.catchUpBandwidth.value)} for ${formatDuration(inputs.catchUpMs)} ` +
    `after an outage of ${formatDuration(inputs.outageMs) || '0s'}; ` +
    `up to ${inputs.concurrency} connections that stay open.`
  );
}

function warningsOf(inputs: PlanInputs, plan: Figures): string[] {
  const warnings: string[] = [];
  const { bandwidth, retentionMs, shiftMs, catchUpMs } = inputs;
  if (bandwidth !== undefined && bandwidth < plan.neededBandwidth.value)
    warnings.push(
      `The bandwidth of ${bitRate(bandwidth)} is below the ${bitRate(plan.neededBandwidth.value)} that are needed.`,
    );
  if (retentionMs < shiftMs)
    warnings.push(
      `The retention (${formatDuration(retentionMs) || '0s'}) is shorter than a shift (${formatDuration(shiftMs)}): operators will miss files of their own shift.`,
    );
  if (plan.catchUpSeconds.value * 1_000 > catchUpMs)
    warnings.push(
      Number.isFinite(plan.catchUpSeconds.value)
        ? `After the longest outage catching up takes ${shown(plan.catchUpSeconds)}, not ${formatDuration(catchUpMs)}: raise --concurrency (${inputs.concurrency}) or the bandwidth.`
        : `The uploader never catches up: ${number(plan.uploadRate.value)} files/s is all that ${inputs.concurrency} uploads of ${number(inputs.latencyMs)} ms allow; raise --concurrency or the bandwidth.`,
    );
  const needed = planDrain(inputs);
  if (plan.drainSeconds.value < needed)
    warnings.push(
      `The drain of ${plan.drainSeconds.value} s is shorter than the ${needed} s that are needed: files may be left on a volume that goes with the pod.`,
    );
  if (plan.cpuLimitMillicores.value > 1_000)
    warnings.push(
      `The busiest hour asks for ${shown(plan.cpuLimitMillicores)} of CPU; one uploader is one process and uses hardly more than 1,000m: split the writer's directories or allow more time.`,
    );
  if (plan.gracePeriodSeconds.value * 1_000 > HOUR_MS)
    warnings.push(
      `The pod's stop may take ${shown(plan.gracePeriodSeconds)}: node upgrades will wait for it.`,
    );
  if (inputs.volume === 'emptyDir')
    warnings.push(
      `An emptyDir over ${bytes(plan.sizeLimitBytes.value)} gets the whole pod evicted, and df inside it shows the node's disk, not this limit.`,
    );
  if (plan.decidedBy === 'inodes')
    warnings.push(
      `Inodes run out before bytes: the file system below needs ${number(plan.inodes.value)} free ones, which the size limit does not see.`,
    );
  return warnings;
}

/** What the drain would be if it were not given. */
function planDrain(inputs: PlanInputs): number {
  const planned = { ...inputs, drainMs: undefined };
  return planTraffic(planned, planVolume(planned)).drainSeconds.value;
}
