// The CrossGuard pack: `pulumi preview --policy-pack policies` asks every rule about what the program declares.
import { PolicyPack, type StackValidationPolicy } from '@pulumi/policy';
import { bucketOf, type DeclaredResource, manifestsOf, roleIn } from './resources.ts';
import { BUCKET_RULES } from './rules/buckets.ts';
import { POD_RULES } from './rules/pods.ts';
import { ROLE_RULES } from './rules/roles.ts';
import type { Rule } from './rules/rule.ts';

function stackPolicy<Subject>(
  rule: Rule<Subject>,
  subjectOf: (resources: readonly DeclaredResource[]) => Subject | undefined,
): StackValidationPolicy {
  const { name, protectsFrom, remedy, reference } = rule;
  return {
    name,
    description: `Protects from ${protectsFrom}. ${remedy} ${reference}`,
    enforcementLevel: 'mandatory',
    validateStack: ({ resources }, report) => {
      const declared = resources.map(({ type, props, opts }) => ({
        type,
        inputs: props,
        protect: opts.protect,
      }));
      const subject = subjectOf(declared);
      if (subject === undefined) return;
      for (const { object, what } of rule.check(subject)) report(`${object}: ${what}.`);
    },
  };
}

// Constructing it serves it.
new PolicyPack('ferry', {
  policies: [
    ...ROLE_RULES.map((rule) => stackPolicy(rule, roleIn)),
    ...BUCKET_RULES.map((rule) => stackPolicy(rule, bucketOf)),
    ...POD_RULES.map((rule) => stackPolicy(rule, manifestsOf)),
  ],
});
