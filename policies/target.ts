// Everything that rules look at for one target: what the account is told, what the cluster is told, and what the YAML
// says, as plain objects; and every rule there is, each asked about the part that it is about.
import type { RoleInReview } from './iam/places.ts';
import { type Asked, bucketOf, type DeclaredResource, manifestsOf, rolesIn } from './resources.ts';
import { AGREEMENT_RULES } from './rules/agreements.ts';
import type { BucketInReview } from './rules/bucket-rule.ts';
import { BUCKET_RULES } from './rules/buckets.ts';
import { type Manifests, readManifests } from './rules/kube.ts';
import { POD_RULES } from './rules/pods.ts';
import { ROLE_RULES } from './rules/roles.ts';
import { type Finding, findings, type Rule, type RuleText } from './rules/rule.ts';

export interface TargetInReview {
  /** `staging`, of Pulumi.staging.yaml. */
  readonly name: string;
  /** What `kubectl apply` takes. */
  readonly yaml: Manifests;
  /** What Pulumi tells the cluster. */
  readonly program: Manifests;
  /** None for a target with an S3 server of its own. */
  readonly roles: readonly RoleInReview[];
  readonly bucket: BucketInReview | undefined;
}

/** One rule, asked about a whole target. */
export interface Control {
  readonly rule: RuleText;
  /** Whether the target has anything that the rule is about. */
  readonly concerns: (target: TargetInReview) => boolean;
  readonly check: (target: TargetInReview) => Finding[];
}

export interface ControlGroup {
  readonly about: string;
  readonly controls: readonly Control[];
}

export const CONTROLS: readonly ControlGroup[] = [
  group('Roles, and what their bucket refuses', ROLE_RULES, ({ roles }) => roles),
  group('Settings of the bucket', BUCKET_RULES, ({ bucket }) => (bucket === undefined ? [] : [bucket])),
  group('Pods, namespaces and jobs', POD_RULES, ({ yaml, program }) => [yaml, program]),
  group('YAML and account agree', AGREEMENT_RULES, (target) => [target]),
];

export const RULE_NAMES: readonly string[] = CONTROLS.flatMap(({ controls }) =>
  controls.map(({ rule }) => rule.name),
);

function group<Subject>(
  about: string,
  rules: readonly Rule<Subject>[],
  subjectsOf: (target: TargetInReview) => readonly Subject[],
): ControlGroup {
  const controls = rules.map(
    (rule): Control => ({
      rule,
      concerns: (target) => subjectsOf(target).some((subject) => rule.concerns?.(subject) ?? true),
      check: (target) =>
        once(
          subjectsOf(target).flatMap((subject) =>
            findings([rule], subject).map((found) => ({ ...found, object: named(target, found.object) })),
          ),
        ),
    }),
  );
  return { about, controls };
}

/** Every finding is of a target, so that a waiver for one is none for another. */
function named({ name }: TargetInReview, object: string): string {
  return object.startsWith(`${name}/`) ? object : `${name}/${object}`;
}

/** YAML and program hold the same objects twice. */
function once(all: readonly Finding[]): Finding[] {
  const known = new Map(all.map((finding) => [`${finding.object} ${finding.what}`, finding]));
  return [...known.values()];
}

export function targetFindings(target: TargetInReview): Finding[] {
  return CONTROLS.flatMap(({ controls }) => controls.flatMap(({ check }) => check(target)));
}

/**
 * @param resources as the program declares them
 * @param documents of the YAML files; undefined: the program's own objects stand for them
 * @throws ZodError for resources or objects of another shape than is known here
 */
export function targetInReview(
  name: string,
  asked: Asked,
  resources: readonly DeclaredResource[],
  documents?: readonly unknown[],
): TargetInReview {
  const program = manifestsOf(name, resources);
  return {
    name,
    yaml: documents === undefined ? program : readManifests(name, documents),
    program,
    roles: rolesIn(resources, asked),
    bucket: bucketOf(resources),
  };
}
