// The uploader starts before the writer and ends after it.
import { podRule, uploaderOf } from '../kube.ts';

export const nativeSidecar = podRule(
  {
    name: 'native-sidecar',
    protectsFrom: 'a writer that never starts, or files written after the uploader has gone',
    severity: 'high',
    remedy: 'Run the uploader as an init container with restartPolicy Always.',
    reference: 'https://github.com/cdk8s-team/cdk8s/issues/2163',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    if (!pod.spec.initContainers.includes(uploader)) return [`${uploader.name} is no init container`];
    return uploader.restartPolicy === 'Always' ? [] : [`${uploader.name} has no restartPolicy Always`];
  },
);
