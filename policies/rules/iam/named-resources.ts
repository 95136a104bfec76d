// Resources are the own bucket, what lies below the prefix, and the own key.
import { bucketArnOf, grantsOf, objectsArnOf, roleRule } from '../iam-rule.ts';

export const namedResources = roleRule(
  {
    name: 'iam-named-resources',
    protectsFrom: 'reaching other buckets, other prefixes and other keys',
    severity: 'high',
    remedy: 'Name the bucket, what lies below its prefix, and the key; no wildcard besides, no NotResource.',
    reference: 'Security Hub IAM.1; https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html',
  },
  (read) => {
    const own = [
      bucketArnOf(read),
      objectsArnOf(read),
      ...(read.role.kmsKey === undefined ? [] : [read.role.kmsKey]),
    ];
    return grantsOf(read.identity).flatMap(({ name, resources = [], otherResources }) => [
      ...(otherResources ? [`${name} reaches everything but ${resources.join(', ')}`] : []),
      ...resources
        .filter((resource) => !otherResources && !own.includes(resource))
        .map((resource) => `${name} reaches ${resource}`),
    ]);
  },
);
