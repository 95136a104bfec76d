// Only the uploader can act for the role: EKS gives a token to every container that the annotation does not name.
import { at, podRule, uploaderOf } from '../kube.ts';

const SKIP = 'eks.amazonaws.com/skip-containers';
const ROLE = 'eks.amazonaws.com/role-arn';

export const credentialsInOne = podRule(
  {
    name: 'credentials-in-one',
    protectsFrom: "the vendor's code acting as the uploader's role",
    severity: 'high',
    remedy: `Name every container but the uploader in ${SKIP}, and give AWS variables to the uploader alone.`,
    reference: 'https://github.com/aws/amazon-eks-pod-identity-webhook',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    const account = pod.manifests.objects.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === pod.spec.serviceAccountName,
    );
    const skipped = (pod.annotations[SKIP] ?? '').split(',').map((name) => name.trim());
    const others = pod.containers.filter((container) => container !== uploader);
    const projected = pod.spec.volumes
      .filter((volume) => JSON.stringify(at(volume, 'projected') ?? '').includes('serviceAccountToken'))
      .map(({ name }) => name);
    return others.flatMap((container) => [
      ...(account?.metadata.annotations[ROLE] !== undefined && !skipped.includes(container.name)
        ? [`${container.name} gets the role's token from the cluster`]
        : []),
      ...container.env
        .filter(({ name }) => /^AWS_(ACCESS_KEY|SECRET|SESSION|WEB_IDENTITY|ROLE)/.test(name))
        .map(({ name }) => `${container.name} has ${name}`),
      ...container.volumeMounts
        .filter(({ name }) => projected.includes(name))
        .map(({ name }) => `${container.name} mounts the token in volume ${name}`),
      ...(container.envFrom.length > 0 ? [`${container.name} takes its variables from elsewhere`] : []),
    ]);
  },
);
