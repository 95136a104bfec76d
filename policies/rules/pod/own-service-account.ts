// A pod has a service account of its own, since a role trusts an account and not a pod.
import { podRule, podsOf } from '../kube.ts';

export const ownServiceAccount = podRule(
  {
    name: 'own-service-account',
    protectsFrom: 'a role that every pod of the namespace could take, or a pod that never starts',
    severity: 'high',
    remedy: 'Name a service account of its own, made in the same namespace.',
    reference: 'CIS Kubernetes 5.1.5',
  },
  ({ spec: { serviceAccountName }, namespace, manifests }) => {
    if (serviceAccountName === undefined || serviceAccountName === 'default')
      return ['the pod runs as the default service account'];
    const users = podsOf(manifests).filter(({ spec }) => spec.serviceAccountName === serviceAccountName);
    const made = manifests.objects.some(
      ({ kind, metadata }) =>
        kind === 'ServiceAccount' &&
        metadata.name === serviceAccountName &&
        (metadata.namespace ?? 'default') === namespace,
    );
    return [
      ...(made ? [] : [`the service account ${serviceAccountName} is not made in ${namespace}`]),
      ...(users.length > 1 ? [`${users.length} pods share the service account ${serviceAccountName}`] : []),
    ];
  },
);
