// A pod has a service account of its own, since a role trusts an account and not a pod.
import { type Pod, podRule, podsOf } from '../kube.ts';

export const ownServiceAccount = podRule(
  {
    name: 'own-service-account',
    protectsFrom: 'a role that every pod of the namespace could take, or a pod that never starts',
    severity: 'high',
    remedy: 'Name a service account of its own, made in the same namespace.',
    reference: 'CIS Kubernetes 5.1.5',
  },
  (pod) => {
    const { spec, namespace, manifests } = pod;
    const { serviceAccountName } = spec;
    if (serviceAccountName === undefined || serviceAccountName === 'default')
      return ['the pod runs as the default service account'];
    const others = podsOf(manifests).filter(
      (other) =>
        other.object !== pod.object &&
        other.spec.serviceAccountName === serviceAccountName &&
        !isOneProgram(pod, other),
    );
    const made = manifests.objects.some(
      ({ kind, metadata }) =>
        kind === 'ServiceAccount' &&
        metadata.name === serviceAccountName &&
        (metadata.namespace ?? 'default') === namespace,
    );
    return [
      ...(made ? [] : [`the service account ${serviceAccountName} is not made in ${namespace}`]),
      ...(others.length > 0
        ? [`${others.length + 1} pods share the service account ${serviceAccountName}`]
        : []),
    ];
  },
);

/** The jobs of a schedule and those of a backfill, called alike. */
function isOneProgram(one: Pod, other: Pod): boolean {
  const nameOf = ({ object, labels }: Pod): string | undefined =>
    /\/(CronJob|Job)\//.test(object) ? labels['app.kubernetes.io/name'] : undefined;
  return nameOf(one) !== undefined && nameOf(one) === nameOf(other);
}
