// A daily run that is late still runs, and never twice at a time.
import { at, type Manifests, nameOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

const LEAST_SECONDS = 600;

export const cronjobDeadline: Rule<Manifests> = {
  name: 'cronjob-deadline',
  protectsFrom: 'a daily run missed because the controller was seconds late',
  severity: 'high',
  remedy: `Set startingDeadlineSeconds to ${LEAST_SECONDS} at least, and concurrencyPolicy Forbid.`,
  reference: 'https://github.com/kubernetes/kubernetes/issues/86647; kube-score cronjob-has-deadline',
  concerns: ({ objects }) => objects.some(({ kind }) => kind === 'CronJob'),
  check: (manifests) =>
    manifests.objects.flatMap((each) => {
      if (each.kind !== 'CronJob') return [];
      const object = nameOf(manifests, each);
      const deadline = at(each.spec, 'startingDeadlineSeconds');
      const policy = at(each.spec, 'concurrencyPolicy');
      return [
        ...(typeof deadline === 'number' && deadline >= LEAST_SECONDS
          ? []
          : [{ object, what: `startingDeadlineSeconds is ${String(deadline)}` }]),
        ...(policy === 'Forbid' ? [] : [{ object, what: `concurrencyPolicy is ${String(policy)}` }]),
      ];
    }),
};
