// Who may talk to whom: nothing in or out of the namespace but names, S3 and STS, and the metrics.
import type { Construct } from 'constructs';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { addObject } from './guard.ts';
import { HEALTH_PORT, labelsOf, S3_PORT, selectorOf } from './labels.ts';
import type { TargetSettings } from './settings/settings.ts';

type Spec = NonNullable<INetworkPolicy['spec']>;
type Egress = NonNullable<Spec['egress']>[number];
type Ingress = NonNullable<Spec['ingress']>[number];

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';
/** Where instances learn their node's own credentials: nothing in the pod may ask there. */
const INSTANCE_METADATA = '169.254.169.254/32';
/** NodeLocal DNSCache listens there on every node that has it. */
const NODE_LOCAL_DNS = '169.254.20.10/32';
/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html */
const POD_IDENTITY_AGENT: Egress = {
  to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
  ports: [{ protocol: 'TCP', port: 80 }],
};

export const DNS: Egress = {
  to: [
    {
      namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
    { ipBlock: { cidr: NODE_LOCAL_DNS } },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

/** What is not allowed by another policy is refused in the whole namespace. */
export function denyAll(scope: Construct, namespace: string): void {
  const policy: INetworkPolicy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny-all', namespace, labels: { 'app.kubernetes.io/part-of': 'ferry' } },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  };
  addObject(scope, policy);
}

export function writerNetwork(scope: Construct, settings: TargetSettings): void {
  addPolicy(scope, settings.name, labelsOf(settings, 'writer'), {
    podSelector: { matchLabels: selectorOf(settings, 'writer') },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [metricsIngress(settings)],
    egress: [DNS, ...storeEgress(settings)],
  });
}

/** Who reads the metrics. */
export function metricsIngress({ monitoringNamespace }: TargetSettings): Ingress {
  return {
    from: [{ namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: monitoringNamespace } } }],
    ports: [{ protocol: 'TCP', port: HEALTH_PORT }],
  };
}

/** The store, and whoever gives the credentials for it. */
export function storeEgress(settings: TargetSettings): Egress[] {
  if (settings.s3 === 'in-cluster')
    return [
      {
        to: [{ podSelector: { matchLabels: selectorOf(settings, 's3') } }],
        ports: [{ protocol: 'TCP', port: S3_PORT }],
      },
    ];
  const podIdentity = settings.webIdentity === 'pod-identity';
  return [outside(settings.egress, 443), ...(podIdentity ? [POD_IDENTITY_AGENT] : [])];
}

/** These networks on this port, and never the node's own credentials. */
export function outside(cidrs: readonly string[], port: number): Egress {
  return {
    to: cidrs.map((cidr) => ({
      ipBlock: cidr === '0.0.0.0/0' ? { cidr, except: [INSTANCE_METADATA] } : { cidr },
    })),
    ports: [{ protocol: 'TCP', port }],
  };
}

export function s3Network(scope: Construct, settings: TargetSettings, name: string): void {
  addPolicy(scope, name, labelsOf(settings, 's3'), {
    podSelector: { matchLabels: selectorOf(settings, 's3') },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [{ podSelector: { matchLabels: selectorOf(settings, 'writer') } }],
        ports: [{ protocol: 'TCP', port: S3_PORT }],
      },
    ],
  });
}

export function addPolicy(scope: Construct, name: string, labels: Record<string, string>, spec: Spec): void {
  const policy: INetworkPolicy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, labels },
    spec,
  };
  addObject(scope, policy);
}
