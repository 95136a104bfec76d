// A restart cures no credentials: liveness asks whether the process lives, not whether S3 answers.
import { podRule, uploaderOf } from '../kube.ts';

export const livenessAlone = podRule(
  {
    name: 'liveness-alone',
    protectsFrom: 'restarts, again and again, for as long as S3 cannot be reached',
    severity: 'medium',
    remedy: 'Probe /livez for liveness; /readyz tells of the store.',
    reference: 'kube-score pod-probes',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    const path = uploader.livenessProbe?.httpGet?.path;
    return path === '/livez' ? [] : [`${uploader.name} is probed for its life at ${path ?? 'nothing'}`];
  },
);
