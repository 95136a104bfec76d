// No secret stands in a manifest, neither as a Secret nor as a variable's value.
import { at, type Manifests, nameOf, podsOf } from '../kube.ts';
import type { Found, Rule } from '../rule.ts';

const SECRET_NAME = /SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|CREDENTIAL/i;
/** A file to read it from is none. */
const ONLY_A_PATH = /_FILE$/;
const SECRET_VALUE =
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^/\s:@]+:[^/\s@]+@/;

export const noSecret: Rule<Manifests> = {
  name: 'no-secret',
  protectsFrom: 'a secret in files, in version control and in everybody’s terminal',
  severity: 'high',
  remedy: 'Use a role, or a Secret that is made in the cluster and referred to.',
  reference: 'CIS Kubernetes 5.4.2',
  check: (manifests) => [
    ...manifests.objects.flatMap((each): Found[] => {
      if (each.kind !== 'Secret') return [];
      const names = ['data', 'stringData'].flatMap((part) => Object.keys(Object(at(each, part) ?? {})));
      return names.length === 0
        ? []
        : [{ object: nameOf(manifests, each), what: `it holds ${names.join(' and ')}` }];
    }),
    ...podsOf(manifests).flatMap(({ object, containers }) =>
      containers.flatMap((container): Found[] => [
        ...container.env
          .filter(
            ({ name, value = '' }) =>
              (value !== '' && SECRET_NAME.test(name) && !ONLY_A_PATH.test(name)) || SECRET_VALUE.test(value),
          )
          .map(({ name }) => ({ object, what: `${container.name} has the value of ${name} written out` })),
        ...container.args
          .filter((arg) => SECRET_VALUE.test(arg))
          .map((arg) => ({ object, what: `${container.name} has a secret in ${arg.split('=')[0]}` })),
      ]),
    ),
  ],
};
