// The kernel's rarer calls are closed.
import { podRule } from '../kube.ts';

export const seccomp = podRule(
  {
    name: 'seccomp',
    protectsFrom: 'attacks on the kernel by calls that no program here makes',
    severity: 'medium',
    remedy: 'Set seccompProfile RuntimeDefault.',
    reference: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (seccomp)',
  },
  ({ containers, spec: { securityContext: pod } }) =>
    containers.flatMap(({ name, securityContext: own }) => {
      const { type } = own.seccompProfile ?? pod.seccompProfile ?? { type: 'none' };
      return ['RuntimeDefault', 'Localhost'].includes(type)
        ? []
        : [`${name} has the seccomp profile ${type}`];
    }),
);
