// The kubelet evicts a pod when the sum of its containers' ephemeral-storage limits is passed, volumes and logs included.
import { at, podRule, quantityBytes } from '../kube.ts';

/** For the log and the writable layer of a container: the kubelet rotates a log at 10 MiB and keeps five. */
const SLACK_BYTES = 50 * 2 ** 20;

export const ephemeralStorageSum = podRule(
  {
    name: 'ephemeral-storage-sum',
    protectsFrom: 'an eviction, without any drain, of a pod whose volumes are within their limits',
    severity: 'high',
    remedy: 'Raise limits.ephemeral-storage: together they hold every size limit and 50 MiB a container.',
    reference: 'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
  },
  ({ spec }) => {
    // An init container that ends is gone before the others start.
    const containers = [
      ...spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ...spec.containers,
    ];
    const limits = containers.map(({ resources }) => quantityBytes(resources.limits?.['ephemeral-storage']));
    const known = limits.filter((limit) => limit !== undefined);
    // Missing limits are the findings of two other rules.
    if (known.length < limits.length) return [];
    const sizes = spec.volumes.flatMap((volume) => {
      const medium = at(volume, 'emptyDir', 'medium');
      return medium === 'Memory' ? [] : [quantityBytes(at(volume, 'emptyDir', 'sizeLimit')) ?? 0];
    });
    const have = sum(known);
    const need = sum(sizes) + containers.length * SLACK_BYTES;
    if (have >= need) return [];
    return [`the limits allow ${mebi(have)}, the volumes and logs may take ${mebi(need)}`];
  },
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
