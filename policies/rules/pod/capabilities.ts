// Containers keep no Linux capability.
import { podRule } from '../kube.ts';

export const capabilities = podRule(
  {
    name: 'capabilities',
    protectsFrom: 'network, file and process rights that nothing here needs',
    severity: 'high',
    remedy: 'Drop ALL, add nothing.',
    reference:
      'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (capabilities)',
  },
  ({ containers }) =>
    containers.flatMap(({ name, securityContext: { capabilities = {} } }) => [
      ...(capabilities.drop?.includes('ALL') ? [] : [`${name} keeps capabilities`]),
      ...(capabilities.add ?? []).map((added) => `${name} adds ${added}`),
    ]),
);
