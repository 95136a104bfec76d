// What is not named cannot be reached: deny-all in the namespace, and never the node's own credentials.
import { at, type Manifests, nameOf } from '../kube.ts';
import type { Found, Rule } from '../rule.ts';

const METADATA = '169.254.169.254/32';

export const networkClosed: Rule<Manifests> = {
  name: 'network-closed',
  protectsFrom: "data leaving to anywhere, and the node's own credentials",
  severity: 'medium',
  remedy: `Keep a NetworkPolicy that selects every pod and allows nothing; except ${METADATA} from wide blocks.`,
  reference: 'CIS Kubernetes 5.3.2; kube-score pod-networkpolicy',
  check: (manifests) => {
    const { objects, target } = manifests;
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    const closed = policies.some(
      ({ spec }) =>
        Object.keys(Object(at(spec, 'podSelector'))).length === 0 &&
        at(spec, 'ingress') === undefined &&
        at(spec, 'egress') === undefined &&
        JSON.stringify(at(spec, 'policyTypes')) === '["Ingress","Egress"]',
    );
    const found: Found[] = closed
      ? []
      : [{ object: `${target}/NetworkPolicy`, what: 'none of them denies all' }];
    for (const policy of policies)
      for (const block of blocksOf(at(policy.spec, 'egress')))
        if (reachesMetadata(block))
          found.push({
            object: nameOf(manifests, policy),
            what: `${String(at(block, 'cidr'))} reaches ${METADATA}`,
          });
    return found;
  },
};

function* blocksOf(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return;
  if ('ipBlock' in value && typeof value.ipBlock === 'object' && value.ipBlock !== null) yield value.ipBlock;
  for (const inner of Object.values(value)) yield* blocksOf(inner);
}

function reachesMetadata(block: object): boolean {
  const [network = '', bits = '32'] = String(at(block, 'cidr')).split('/');
  const except = at(block, 'except');
  if (Array.isArray(except) && except.includes(METADATA)) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(network) / size) === Math.floor(numberOf('169.254.169.254') / size);
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}
