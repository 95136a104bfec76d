// On what the figures were taken.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './results.ts';

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    // Without the name of its build, which changes with every rebuild of the same version.
    kernel: `${type()} ${release().replace(/-.*$/, '')}`,
  };
}
