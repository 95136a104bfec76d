// Every emptyDir has a size limit.
import { at, podRule, quantityBytes } from '../kube.ts';

export const volumeSizeLimits = podRule(
  {
    name: 'volume-size-limits',
    protectsFrom: 'a folder that fills the disk of its node',
    severity: 'high',
    remedy: 'Set emptyDir.sizeLimit, as ferry plan says.',
    reference: 'https://kubernetes.io/docs/concepts/storage/volumes/#emptydir',
  },
  ({ spec }) =>
    spec.volumes.flatMap((volume) =>
      'emptyDir' in volume && quantityBytes(at(volume, 'emptyDir', 'sizeLimit')) === undefined
        ? [`volume ${volume.name} has no size limit`]
        : [],
    ),
);
