// Deleting a file needs write access to its directory, which the writer made.
import { podRule, uploaderOf } from '../kube.ts';

export const oneOwner = podRule(
  {
    name: 'one-owner',
    protectsFrom: "a volume that fills because the uploader may not delete in the writer's directories",
    severity: 'high',
    remedy: 'Run both containers as one user, and set fsGroup, which a token needs to be readable, too.',
    reference: 'https://kubernetes.io/docs/tasks/configure-pod-container/security-context/',
  },
  (pod) => {
    const uploader = uploaderOf(pod);
    if (uploader === undefined) return [];
    const { runAsUser, fsGroup } = pod.spec.securityContext;
    const users = pod.containers.map(({ securityContext }) => securityContext.runAsUser ?? runAsUser);
    return [
      ...(new Set(users).size === 1 && users[0] !== undefined
        ? []
        : [
            `the containers run as ${users.map((user) => user ?? 'whatever their image says').join(' and ')}`,
          ]),
      ...(fsGroup === undefined ? ['the pod has no fsGroup'] : []),
    ];
  },
);
