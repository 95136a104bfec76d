// Both tools start the same images.
import type { Sides } from '../agreement-rule.ts';
import { podsOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

export const agreeImage: Rule<Sides> = {
  name: 'agree-image',
  protectsFrom: 'a version that runs or not, depending on who deployed last',
  severity: 'high',
  remedy: 'Write the YAML anew with npm run synth, from the settings that Pulumi reads.',
  reference: 'https://kubernetes.io/docs/concepts/containers/images/',
  check: ({ yaml, program }) => {
    const there = new Map(podsOf(program).map((pod) => [pod.object, pod.containers]));
    return podsOf(yaml).flatMap(({ object, containers }) =>
      containers.flatMap(({ name, image }) => {
        const other = there.get(object)?.find((one) => one.name === name)?.image;
        if (other === undefined || other === image) return [];
        return [{ object, what: `${name} runs ${image}, Pulumi starts ${other}` }];
      }),
    );
  },
};
