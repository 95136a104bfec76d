// A pod shares nothing with its node.
import { podRule } from '../kube.ts';

export const hostAccess = podRule(
  {
    name: 'host-access',
    protectsFrom: 'a container that sees the network, processes or files of the node',
    severity: 'high',
    remedy: 'Remove hostNetwork, hostPID, hostIPC, hostPort and hostPath.',
    reference:
      'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (host namespaces, volume types)',
  },
  ({ containers, spec }) => [
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).flatMap((field) =>
      spec[field] ? [`${field} is set`] : [],
    ),
    ...containers.flatMap(({ name, ports }) =>
      ports.some(({ hostPort = 0 }) => hostPort !== 0) ? [`${name} takes a port of the node`] : [],
    ),
    ...spec.volumes.flatMap((volume) =>
      'hostPath' in volume ? [`volume ${volume.name} is a folder of the node`] : [],
    ),
  ],
);
