// The namespace itself refuses pods that are not restricted.
import { type Manifests, nameOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

export const namespaceRestricted: Rule<Manifests> = {
  name: 'namespace-restricted',
  protectsFrom: 'a pod that somebody adds by hand without these rules',
  severity: 'medium',
  remedy: 'Label the namespace pod-security.kubernetes.io/enforce: restricted.',
  reference: 'CIS Kubernetes 5.2.1; https://kubernetes.io/docs/concepts/security/pod-security-admission/',
  check: (manifests) =>
    manifests.objects.flatMap((each) => {
      if (each.kind !== 'Namespace') return [];
      const level = each.metadata.labels['pod-security.kubernetes.io/enforce'];
      return level === 'restricted'
        ? []
        : [{ object: nameOf(manifests, each), what: `it enforces ${level ?? 'nothing'}` }];
    }),
};
