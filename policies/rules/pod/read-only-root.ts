// The image cannot be changed while it runs.
import { podRule } from '../kube.ts';

export const readOnlyRoot = podRule(
  {
    name: 'read-only-root',
    protectsFrom: 'a program replaced in place, and files on a disk nobody planned',
    severity: 'medium',
    remedy: 'Set readOnlyRootFilesystem true and mount a volume where writing is needed.',
    reference: 'CIS Kubernetes 5.7.3; kube-score container-security-context-readonlyrootfilesystem',
  },
  ({ containers }) =>
    containers.flatMap(({ name, securityContext: { readOnlyRootFilesystem } }) =>
      readOnlyRootFilesystem === true ? [] : [`${name} may write to its root`],
    ),
);
