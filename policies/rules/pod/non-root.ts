// Containers do not run as root.
import { podRule } from '../kube.ts';

export const nonRoot = podRule(
  {
    name: 'non-root',
    protectsFrom: 'root in a container, one kernel fault from root on the node',
    severity: 'high',
    remedy: 'Set runAsNonRoot true and a user other than 0.',
    reference:
      'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (running as non-root)',
  },
  ({ containers, spec: { securityContext: pod } }) =>
    containers.flatMap(({ name, securityContext: own }) => [
      ...((own.runAsNonRoot ?? pod.runAsNonRoot) === true ? [] : [`${name} may run as root`]),
      ...((own.runAsUser ?? pod.runAsUser) === 0 ? [`${name} runs as user 0`] : []),
    ]),
);
