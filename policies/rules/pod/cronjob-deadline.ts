// A daily run that is late still runs, at the hour that is meant, and never twice at a time.
import { at, type Manifests, nameOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

/** Maintenance of a control plane takes longer than minutes, and a schedule that is missed is never caught up. */
const LEAST_SECONDS = 3_600;

export const cronjobDeadline: Rule<Manifests> = {
  name: 'cronjob-deadline',
  protectsFrom:
    'a daily run missed because the controller was late, or made in the zone of whichever node it runs on',
  severity: 'high',
  remedy: `Set startingDeadlineSeconds to ${LEAST_SECONDS} at least, concurrencyPolicy Forbid, and a timeZone.`,
  reference: 'https://github.com/kubernetes/kubernetes/issues/86647; kube-score cronjob-has-deadline',
  concerns: ({ objects }) => objects.some(({ kind }) => kind === 'CronJob'),
  check: (manifests) =>
    manifests.objects.flatMap((each) => {
      if (each.kind !== 'CronJob') return [];
      const object = nameOf(manifests, each);
      const deadline = at(each.spec, 'startingDeadlineSeconds');
      const policy = at(each.spec, 'concurrencyPolicy');
      const zone = at(each.spec, 'timeZone');
      return [
        ...(typeof deadline === 'number' && deadline >= LEAST_SECONDS
          ? []
          : [{ object, what: `startingDeadlineSeconds is ${String(deadline)}` }]),
        ...(typeof zone === 'string' ? [] : [{ object, what: 'it has no timeZone' }]),
        ...(policy === 'Forbid' ? [] : [{ object, what: `concurrencyPolicy is ${String(policy)}` }]),
      ];
    }),
};
