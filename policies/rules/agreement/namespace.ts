// Both tools make the same objects, each in the same namespace.
import type { Sides } from '../agreement-rule.ts';
import { type KubeObject, nameOf } from '../kube.ts';
import type { Found, Rule } from '../rule.ts';

const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;

export const agreeNamespace: Rule<Sides> = {
  name: 'agree-namespace',
  protectsFrom: 'two of everything, one of which no rule of the namespace bounds',
  severity: 'high',
  remedy: 'Write the YAML anew with npm run synth, from the settings that Pulumi reads.',
  reference: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/',
  check: ({ yaml, program }) => {
    const there = new Map(program.objects.map((object) => [key(object), object]));
    const here = new Set(yaml.objects.map(key));
    const found = yaml.objects.flatMap((object): Found[] => {
      const other = there.get(key(object));
      const name = nameOf(yaml, object);
      if (other === undefined) return [{ object: name, what: 'Pulumi makes no such object' }];
      const [one, two] = [object, other].map(({ metadata }) => metadata.namespace ?? 'no namespace');
      return one === two ? [] : [{ object: name, what: `it is in ${one}, Pulumi puts it into ${two}` }];
    });
    const missing = program.objects.filter((object) => !here.has(key(object)));
    return [
      ...found,
      ...missing.map((object) => ({ object: nameOf(yaml, object), what: 'the YAML has no such object' })),
    ];
  },
};
