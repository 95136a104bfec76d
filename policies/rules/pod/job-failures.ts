// A job that fails for good stops, and one that a node took away goes on: told apart by what the container says.
import { at, type KubeObject, type Manifests, nameOf } from '../kube.ts';
import type { Rule } from '../rule.ts';

export const jobFailures: Rule<Manifests> = {
  name: 'job-failures',
  protectsFrom:
    'an API asked again and again for what it refuses, and one failure that ends the work of all others',
  severity: 'medium',
  remedy:
    'Give a Job restartPolicy Never and a podFailurePolicy that ignores DisruptionTarget and ends on exit codes; an Indexed one backoffLimitPerIndex.',
  reference: 'https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy',
  concerns: ({ objects }) => objects.some(({ kind }) => kind === 'Job'),
  check: (manifests) =>
    manifests.objects.flatMap((each) =>
      each.kind === 'Job'
        ? lacksOf(each).map((lack) => ({ object: nameOf(manifests, each), what: lack }))
        : [],
    ),
};

function lacksOf({ spec }: KubeObject): string[] {
  const found: unknown = at(spec, 'podFailurePolicy', 'rules');
  const rules: readonly unknown[] = Array.isArray(found) ? found : [];
  const restart = at(spec, 'template', 'spec', 'restartPolicy');
  const isIndexed = at(spec, 'completionMode') === 'Indexed';
  return [
    ...(restart === 'Never' ? [] : [`its restartPolicy is ${String(restart)}`]),
    ...(rules.some(isDisruption) ? [] : ['a pod that its node took away counts as a failure']),
    ...(rules.some(endsOnExitCode) ? [] : ['no exit code ends it']),
    ...(isIndexed && at(spec, 'backoffLimitPerIndex') === undefined
      ? ['its indexes share one number of tries']
      : []),
  ];
}

function isDisruption(rule: unknown): boolean {
  return at(rule, 'action') === 'Ignore' && JSON.stringify(rule).includes('"DisruptionTarget"');
}

function endsOnExitCode(rule: unknown): boolean {
  const action = at(rule, 'action');
  return (action === 'FailJob' || action === 'FailIndex') && at(rule, 'onExitCodes') !== undefined;
}
