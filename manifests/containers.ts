// What every container has in common: the strictest Pod Security, pull policy, and how the pod as a whole runs.
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import { byteQuantity, cpuQuantity } from './quantities.ts';
import type { TargetSettings } from './settings/settings.ts';

/** No privileges at all; what it may write to are its mounts. */
export function locked(readOnlyRoot = true): NonNullable<IContainer['securityContext']> {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: readOnlyRoot,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Images loaded into a node by hand are nowhere to be pulled from. */
export const PULL_POLICY = 'IfNotPresent';

/** One user and one group for all containers: what one writes, the other may delete. */
export function podBasics(settings: TargetSettings): Partial<IPodSpec> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: settings.user,
      runAsGroup: settings.user,
      fsGroup: settings.user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** Requests and limits; bytes and millicores. Disk is asked for in full, since all of it is meant to be used. */
export function resources(amounts: {
  readonly cpuRequest: number;
  readonly cpuLimit: number;
  readonly memoryRequest: number;
  readonly memoryLimit: number;
  readonly ephemeralStorage: number;
}): NonNullable<IContainer['resources']> {
  const disk = { 'ephemeral-storage': byteQuantity(amounts.ephemeralStorage) };
  return {
    requests: {
      cpu: cpuQuantity(amounts.cpuRequest),
      memory: byteQuantity(amounts.memoryRequest),
      ...disk,
    },
    limits: { cpu: cpuQuantity(amounts.cpuLimit), memory: byteQuantity(amounts.memoryLimit), ...disk },
  };
}

export function httpProbe(
  path: string,
  port: string,
  times: { every: number; failures: number; timeout: number },
): IProbe {
  return {
    httpGet: { path, port },
    periodSeconds: times.every,
    failureThreshold: times.failures,
    timeoutSeconds: times.timeout,
  };
}
