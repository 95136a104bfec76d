// The uploader acts on a full volume before the kubelet does.
import { parseSizeBytes } from '../../../app/core/units.ts';
import { at, flagOf, podRule, quantityBytes, uploaderOf } from '../kube.ts';

export const watermarks = podRule(
  {
    name: 'watermarks',
    protectsFrom: 'an eviction for a full volume before the uploader has freed anything',
    severity: 'high',
    remedy: 'Let --volume-limit be at most the size limit, and low < high < critical < 1.',
    reference: 'https://github.com/kubernetes/kubernetes/issues/63126',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    const source = flagOf(uploader, 'source');
    const mount = uploader.volumeMounts.find(({ mountPath }) => mountPath === source);
    const volume = pod.spec.volumes.find(({ name }) => name === mount?.name);
    if (volume === undefined) return [`no volume is mounted at --source ${source}`];
    const size = quantityBytes(at(volume, 'emptyDir', 'sizeLimit'));
    const limit = parseSizeBytes(flagOf(uploader, 'volume-limit') ?? '');
    const marks = ['low', 'high', 'critical'].map((mark) => Number(flagOf(uploader, `${mark}-watermark`)));
    const [low = Number.NaN, high = Number.NaN, critical = Number.NaN] = marks;
    return [
      ...(limit === undefined ? ['the uploader has no --volume-limit'] : []),
      ...(limit !== undefined && size !== undefined && limit > size
        ? [`--volume-limit is ${limit} bytes, the size limit of volume ${volume.name} ${size}`]
        : []),
      ...(0 < low && low < high && high < critical && critical < 1
        ? []
        : [`the watermarks are ${marks.join(', ')}, not rising below 1`]),
    ];
  },
);
