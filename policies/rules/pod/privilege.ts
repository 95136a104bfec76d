// No container is privileged or may become so.
import { podRule } from '../kube.ts';

export const privilege = podRule(
  {
    name: 'privilege',
    protectsFrom: 'a process that becomes root on the node',
    severity: 'high',
    remedy: 'Set privileged false and allowPrivilegeEscalation false.',
    reference:
      'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (privilege escalation)',
  },
  ({ containers }) =>
    containers.flatMap(({ name, securityContext: { privileged, allowPrivilegeEscalation } }) => [
      ...(privileged === true ? [`${name} is privileged`] : []),
      ...(allowPrivilegeEscalation === false ? [] : [`${name} may gain privileges`]),
    ]),
);
