// Every container has its caps, disk included.
import { podRule } from '../kube.ts';

export const resourceCaps = podRule(
  {
    name: 'resource-caps',
    protectsFrom: 'one container that takes the memory, the cores or the disk of its node',
    severity: 'high',
    remedy: 'Set limits for cpu, memory and ephemeral-storage, and requests.',
    reference: 'kube-score container-resources, container-ephemeral-storage-request-and-limit',
  },
  ({ containers }) =>
    containers.flatMap(({ name, resources }) =>
      (['limits', 'requests'] as const).flatMap((kind) =>
        ['cpu', 'memory', 'ephemeral-storage'].flatMap((what) =>
          resources[kind]?.[what] === undefined ? [`${name} has no ${kind} of ${what}`] : [],
        ),
      ),
    ),
);
