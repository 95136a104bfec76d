// The pod's numbers: each is the plan's figure, or what the settings put in its place, with the reason for either.
import { type Figure, shown } from '../app/plan/figure.ts';
import { GRACE_MARGIN_S, MIB } from '../app/plan/measured.ts';
import { type Plan, planCapacity } from '../app/plan/plan.ts';
import { stateWithSpill } from '../app/plan/resources.ts';
import { planInputsOf, type TargetSettings } from './settings/settings.ts';

/** The writer's /tmp beside a read-only root. */
export const WRITER_TMP_BYTES = 64 * MIB;
/** The stand-in's notes of what it wrote: two million lines of 130 bytes. */
export const WRITER_NOTES_BYTES = 256 * MIB;

const BEYOND = 'what the volume was given beyond the plan';

/** What the manifests take from the plan. Sizes in bytes, CPU in millicores, times in seconds. */
export interface PodFigures {
  readonly sizeLimit: Figure;
  readonly claimSize: Figure;
  readonly stateSize: Figure;
  readonly memoryRequest: Figure;
  readonly memoryLimit: Figure;
  readonly cpuRequest: Figure;
  readonly cpuLimit: Figure;
  readonly writerMemory: Figure;
  readonly writerEphemeralStorage: Figure;
  readonly uploaderEphemeralStorage: Figure;
  readonly drain: Figure;
  readonly gracePeriod: Figure;
}

export interface PodValues {
  readonly plan: Plan;
  readonly figures: PodFigures;
}

/** @throws PlanError when the settings were not checked before. */
export function podValues(settings: TargetSettings): PodValues {
  const plan = planCapacity(planInputsOf(settings));
  const sizeLimit = chosen(plan.sizeLimitBytes, settings.sizeLimitBytes);
  const stateSize = chosen(
    stateWithSpill(plan.stateSizeBytes, plan.inputs, settings.spillSizeBytes),
    settings.stateSizeBytes,
  );
  const moreVolume = sizeLimit.value - plan.sizeLimitBytes.value;
  const moreState = stateSize.value - plan.stateSizeBytes.value;
  const { volume } = plan.inputs;
  const ofVolume = volume === 'memory' ? plan.volumeMemoryBytes.value + moreVolume : 0;
  const notes = settings.writerNotes ? WRITER_NOTES_BYTES : 0;
  return {
    plan,
    figures: {
      sizeLimit,
      claimSize: chosen(plan.fileSystemBytes, settings.claimSizeBytes),
      stateSize,
      memoryRequest: chosen(plan.memoryRequestBytes, settings.memoryRequestBytes),
      memoryLimit: chosen(plan.memoryLimitBytes, settings.memoryLimitBytes),
      cpuRequest: chosen(plan.cpuRequestMillicores, settings.cpuRequest),
      cpuLimit: chosen(plan.cpuLimitMillicores, settings.cpuLimit),
      writerMemory: {
        value: settings.writerMemoryBytes + ofVolume,
        unit: 'bytes',
        why: `${shown({ value: settings.writerMemoryBytes, unit: 'bytes' })} of its own + ${shown({ value: ofVolume, unit: 'bytes' })} of the volume; ${plan.volumeMemoryBytes.why}`,
      },
      writerEphemeralStorage: more(
        more(plan.writerEphemeralStorageLimitBytes, volume === 'emptyDir' ? moreVolume : 0, BEYOND),
        WRITER_TMP_BYTES + notes,
        notes > 0 ? '/tmp and its notes' : '/tmp',
      ),
      uploaderEphemeralStorage: more(plan.uploaderEphemeralStorageLimitBytes, moreState, BEYOND),
      drain: plan.drainSeconds,
      gracePeriod: chosen(
        plan.gracePeriodSeconds,
        settings.gracePeriodMs === undefined ? undefined : Math.ceil(settings.gracePeriodMs / 1_000),
      ),
    },
  };
}

function chosen(planned: Figure, written: number | undefined): Figure {
  if (written === undefined) return planned;
  return {
    ...planned,
    value: written,
    why: `as the settings say; planned are ${shown(planned)}: ${planned.why}`,
  };
}

function more(planned: Figure, bytes: number, what: string): Figure {
  if (bytes === 0) return planned;
  return {
    ...planned,
    value: planned.value + bytes,
    why: `${planned.why} + ${shown({ value: bytes, unit: 'bytes' })} for ${what}`,
  };
}

/** The least grace period, in seconds, and its arithmetic. */
export function neededGrace(plan: Plan): Figure {
  const stop = Math.ceil(plan.inputs.writerStopMs / 1_000);
  const drain = plan.drainSeconds.value;
  return {
    value: stop + drain + GRACE_MARGIN_S,
    unit: 's',
    why: `${stop} s for the writer to end + ${drain} s to drain + ${GRACE_MARGIN_S} s to exit`,
  };
}
