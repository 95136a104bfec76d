// The grace period is shared: the writer's stop first, then the uploader's drain.
import { parseDurationMs } from '../../../app/core/units.ts';
import { flagOf, podRule, uploaderOf } from '../kube.ts';

/** To log what is left and to exit, after the drain. */
const EXIT_MS = 2_000;

export const drainInGrace = podRule(
  {
    name: 'drain-in-grace',
    protectsFrom: 'files lost with the pod, because the uploader is killed before it has sent them',
    severity: 'high',
    remedy: "Raise terminationGracePeriodSeconds above the writer's stop and --drain together.",
    reference:
      'https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#sidecar-containers-and-pod-lifecycle',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    const drainMs = parseDurationMs(flagOf(uploader, 'drain') ?? '');
    if (drainMs === undefined) return ['the uploader has no --drain'];
    const graceMs = pod.spec.terminationGracePeriodSeconds * 1_000;
    if (drainMs + EXIT_MS < graceMs) return [];
    return [`--drain is ${drainMs / 1_000} s, the whole grace period ${graceMs / 1_000} s`];
  },
);
