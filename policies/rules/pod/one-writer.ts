// One pod for each writer, the old one gone before the new one starts.

import type { Manifests } from '../kube.ts';
import { at, nameOf, podsOf, uploaderOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

export const oneWriter: Rule<Manifests> = {
  name: 'one-writer',
  protectsFrom: 'two writers at work where the vendor knows of one',
  severity: 'medium',
  remedy: 'Set replicas 1 and strategy Recreate.',
  reference: 'https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment',
  check: (manifests) => {
    const withUploader = new Set(podsOf(manifests).flatMap((pod) => (uploaderOf(pod) ? [pod.object] : [])));
    return manifests.objects.flatMap((each) => {
      const object = nameOf(manifests, each);
      if (each.kind !== 'Deployment' || !withUploader.has(object)) return [];
      const strategy = at(each.spec, 'strategy', 'type');
      return [
        ...(at(each.spec, 'replicas') === 1
          ? []
          : [{ object, what: 'it does not have exactly one replica' }]),
        ...(strategy === 'Recreate' ? [] : [{ object, what: `its strategy is ${String(strategy)}` }]),
      ];
    });
  },
};
