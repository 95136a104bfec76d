// The CrossGuard pack: `pulumi preview --policy-pack policies` asks every rule about what the program declares, and holds
// waivers to the same file, days and uses as `npm run review`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyPack, type PolicyResource, type StackValidationPolicy } from '@pulumi/policy';
import { getStack, runtime } from '@pulumi/pulumi';
import { parse, stringify } from 'yaml';
import { EVENTS_NAME } from '../manifests/events/names.ts';
import { readEvents } from '../manifests/events/read.ts';
import { readTarget } from '../manifests/settings/read.ts';
import { manifestsOf } from './resources.ts';
import { EVENTS_FILE, fileIn } from './rules/kube.ts';
import {
  CONTROLS,
  type Control,
  RULE_NAMES,
  type TargetInReview,
  targetFindings,
  targetInReview,
} from './target.ts';
import { judge, readWaivers, waiversOf } from './waivers.ts';

const WAIVERS = join(import.meta.dirname, 'waivers.yaml');
const CONFIGURATION = 'the configuration of the stack';
const MANDATORY = { enforcementLevel: 'mandatory' } as const;

const stack = getStack();
const waivers = waiversOf(readWaivers(WAIVERS, parse(readFileSync(WAIVERS, 'utf8'))), [stack]);
const day = new Date().toISOString().slice(0, 10);

function targetOf(resources: readonly PolicyResource[]): TargetInReview {
  const declared = resources.map(({ type, name, props, opts }) => ({
    type,
    name,
    inputs: props,
    protect: opts.protect,
  }));
  // Empty texts stand for what is absent.
  const given = Object.entries(runtime.allConfig()).filter(
    ([key, text]) => /^ferry(-events)?:/.test(key) && text !== '',
  );
  const content = stringify({ config: Object.fromEntries(given) });
  const settings = readTarget(CONFIGURATION, content);
  // The file that is named lies where the program is; what became of it is declared.
  const file = (): string => fileIn(manifestsOf(stack, declared), EVENTS_NAME, EVENTS_FILE) ?? '';
  const events = readEvents(CONFIGURATION, content, settings, file);
  return targetInReview(stack, { settings, events }, declared);
}

function asPolicy({ rule, check }: Control): StackValidationPolicy {
  const { name, protectsFrom, remedy, reference } = rule;
  return {
    ...MANDATORY,
    name,
    description: `Protects from ${protectsFrom}. ${remedy} ${reference}`,
    validateStack: ({ resources }, report) => {
      const { open } = judge(check(targetOf(resources)), waivers, day, RULE_NAMES);
      for (const { object, what } of open) report(`${object}: ${what}.`);
    },
  };
}

const waiversHold: StackValidationPolicy = {
  ...MANDATORY,
  name: 'waivers',
  description:
    'Protects from waivers that outlive their day or what they were for. Mend policies/waivers.yaml.',
  validateStack: ({ resources }, report) => {
    const { faulty } = judge(targetFindings(targetOf(resources)), waivers, day, RULE_NAMES);
    for (const sentence of faulty) report(sentence);
  },
};

// Constructing it serves it.
new PolicyPack('ferry', {
  policies: [...CONTROLS.flatMap(({ controls }) => controls.map(asPolicy)), waiversHold],
});
