// What the uploader and its pod may use: state volume, ephemeral storage, memory, CPU.
import { bytes, type Figure, figure, number, roundUp } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import {
  CONTAINER_SLACK_BYTES,
  CPU_IDLE_MILLICORES,
  CPU_LIMIT_MIN_MILLICORES,
  CPU_MS_PER_FILE,
  CPU_MS_PER_MIB,
  damagedRowBytes,
  KNOWN_FILE_BYTES,
  KNOWN_MAX_BYTES,
  MEMORY_AFTER_BURST_BYTES,
  MEMORY_AT_WORK_BYTES,
  MIB,
  PART_BYTES,
  READ_BUFFER_BYTES,
  RECEIPTS_STATE_BYTES,
  STATE_FIXED_BYTES,
  stateRowBytes,
  TMPFS_FILE_BYTES,
} from './measured.ts';
import type { TrafficPlan } from './traffic.ts';
import type { VolumePlan } from './volume.ts';

export interface ResourcePlan {
  /** Size of the uploader's own volume (`--state`), an emptyDir. */
  readonly stateSizeBytes: Figure;
  /** `limits.ephemeral-storage` of each container: their sum holds every emptyDir on disk, logs and writable layers. */
  readonly writerEphemeralStorageLimitBytes: Figure;
  readonly uploaderEphemeralStorageLimitBytes: Figure;
  /** Memory that a volume of kind `memory` adds to whoever writes; 0 for the others. */
  readonly volumeMemoryBytes: Figure;
  readonly memoryRequestBytes: Figure;
  readonly memoryLimitBytes: Figure;
  readonly cpuRequestMillicores: Figure;
  readonly cpuLimitMillicores: Figure;
}

export function planResources(inputs: PlanInputs, volume: VolumePlan, traffic: TrafficPlan): ResourcePlan {
  const files = volume.peakFiles.value;
  const { pathLength, rate, burst, sizeBytes, burstSizeBytes, concurrency } = inputs;
  const [row, damaged] = [stateRowBytes(pathLength), damagedRowBytes(pathLength)];
  const stateSize = roundUp(files * (row + damaged) + STATE_FIXED_BYTES + RECEIPTS_STATE_BYTES, MIB);
  const onDisk = inputs.volume === 'emptyDir' ? volume.sizeLimitBytes.value : 0;

  const largest = Math.max(rate > 0 ? sizeBytes : 0, burst > 0 ? burstSizeBytes : 0);
  const inFlight = concurrency * Math.max(READ_BUFFER_BYTES, Math.min(largest, PART_BYTES) * 2);
  const known = Math.min(files * KNOWN_FILE_BYTES, KNOWN_MAX_BYTES);
  const held = `${bytes(known)} for ${number(files)} files known (${KNOWN_FILE_BYTES} B each, at most ${bytes(KNOWN_MAX_BYTES)}; 9 to 11 B and 4.75 MiB measured) + ${bytes(inFlight)} for ${concurrency} uploads in flight`;
  const memory = (base: number): number => roundUp(base + known + inFlight, 16 * MIB);

  const cpuPerFile = (size: number): number => CPU_MS_PER_FILE + (size / MIB) * CPU_MS_PER_MIB;
  const busiest = Math.max(traffic.catchUpRate.value, traffic.uploadRate.value);
  const average = traffic.filesPerDay.value / 86_400;
  const each = cpuPerFile(largest);
  const request = roundUp(CPU_IDLE_MILLICORES + average * each, 10);
  const needed = CPU_IDLE_MILLICORES + busiest * each;

  return {
    stateSizeBytes: figure(
      stateSize,
      'bytes',
      `${number(files)} files x (${row} B a row + ${damaged} B should a damaged ledger be kept beside it) + ${bytes(STATE_FIXED_BYTES)} for its log and its reserve + ${bytes(RECEIPTS_STATE_BYTES)} for receipts on their way`,
    ),
    writerEphemeralStorageLimitBytes: figure(
      onDisk + CONTAINER_SLACK_BYTES,
      'bytes',
      onDisk > 0
        ? `${bytes(onDisk)} of the shared volume + ${bytes(CONTAINER_SLACK_BYTES)} for logs and the writable layer`
        : `logs and the writable layer; a volume of kind ${inputs.volume} does not count`,
    ),
    uploaderEphemeralStorageLimitBytes: figure(
      stateSize + CONTAINER_SLACK_BYTES,
      'bytes',
      `${bytes(stateSize)} of the state volume + ${bytes(CONTAINER_SLACK_BYTES)} for logs`,
    ),
    volumeMemoryBytes: figure(
      inputs.volume === 'memory' ? volume.sizeLimitBytes.value + volume.inodes.value * TMPFS_FILE_BYTES : 0,
      'bytes',
      inputs.volume === 'memory'
        ? `${bytes(volume.sizeLimitBytes.value)} + ${number(volume.inodes.value)} inodes x ${bytes(TMPFS_FILE_BYTES)} are memory: add them to the limit of the writer, whose pages they are`
        : `a volume of kind ${inputs.volume} is no memory`,
    ),
    memoryRequestBytes: figure(
      memory(MEMORY_AT_WORK_BYTES),
      'bytes',
      `${bytes(MEMORY_AT_WORK_BYTES)} at work (40 to 54 MiB of anonymous memory measured) + ${held}`,
    ),
    memoryLimitBytes: figure(
      memory(MEMORY_AFTER_BURST_BYTES),
      'bytes',
      `${bytes(MEMORY_AFTER_BURST_BYTES)} resident in a burst (93 to 110 MiB measured) + ${held}`,
    ),
    cpuRequestMillicores: figure(
      request,
      'millicores',
      `${CPU_IDLE_MILLICORES}m for walking and waiting + ${number(average)} files/s x ${number(each)} ms`,
    ),
    cpuLimitMillicores: figure(
      Math.max(CPU_LIMIT_MIN_MILLICORES, roundUp(needed, 50), request),
      'millicores',
      `${CPU_IDLE_MILLICORES}m + ${number(busiest)} files/s at the busiest x ${number(each)} ms (0.1 ms measured, 0.12 over TLS, 0.19 with freeing; 0.4 counted for a slower core); at least ${CPU_LIMIT_MIN_MILLICORES}m`,
    ),
  };
}

/**
 * The state volume where files may spill over: a second ledger of as many files as the spill volume has inodes for, and
 * a second mover's receipts. Undefined: there is no spill volume.
 */
export function stateWithSpill(
  state: Figure,
  inputs: PlanInputs,
  spillSizeBytes: number | undefined,
): Figure {
  if (spillSizeBytes === undefined) return state;
  const files = Math.ceil(spillSizeBytes / inputs.inodeRatioBytes);
  const row = stateRowBytes(inputs.pathLength);
  const more = STATE_FIXED_BYTES + RECEIPTS_STATE_BYTES;
  return {
    ...state,
    value: state.value + roundUp(files * row + more, MIB),
    why: `${state.why}; of a spill volume of ${bytes(spillSizeBytes)} ${number(files)} files x ${row} B a row + ${bytes(more)} for log, reserve and receipts`,
  };
}
