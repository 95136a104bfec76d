// Nothing here asks the Kubernetes API, so nothing gets a token for it.
import { podRule } from '../kube.ts';

export const noClusterToken = podRule(
  {
    name: 'no-cluster-token',
    protectsFrom: 'a token for the Kubernetes API in a container that has no use for one',
    severity: 'medium',
    remedy: 'Set automountServiceAccountToken false on the pod.',
    reference: 'CIS Kubernetes 5.1.6',
  },
  ({ spec }) => (spec.automountServiceAccountToken === false ? [] : ['the pod gets a token for the cluster']),
);
