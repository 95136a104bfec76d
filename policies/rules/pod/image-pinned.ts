// The image that was reviewed is the image that runs.
import { isPinned } from '../../../manifests/quantities.ts';
import { podRule } from '../kube.ts';

export const imagePinned = podRule(
  {
    name: 'image-pinned',
    protectsFrom: 'another image under the same name',
    severity: 'high',
    remedy: 'Name the image by its digest: name@sha256:….',
    reference:
      'kube-score container-image-tag; https://kubernetes.io/docs/concepts/containers/images/#image-names',
  },
  ({ containers }) =>
    containers.flatMap(({ name, image }) =>
      isPinned(image) ? [] : [`${name} runs ${image}, without a digest`],
    ),
);
