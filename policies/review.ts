// `npm run review`: the rules over the YAML that `npm run synth` has written, and over what waivers say of it.
//
//   node policies/review.ts                  every target below dist/
//   node policies/review.ts staging --json   one, for machines
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { EXIT, FerryError } from '../app/core/errors.ts';
import { documentsOf } from '../manifests/synth.ts';
import { readManifests } from './rules/kube.ts';
import { POD_RULES } from './rules/pods.ts';
import { type Finding, findings } from './rules/rule.ts';
import { type Judged, judge, readWaivers } from './waivers.ts';

const ROOT = dirname(import.meta.dirname);

const HELP = `Usage: npm run review -- [target …] [--dist DIR] [--waivers FILE] [--json]

Checks dist/<target>/*.yaml against every rule of policies/rules. Exit code 0: nothing is found that is not waived.

Examples:
  npm run synth && npm run review
  npm run review -- staging --json
`;

export interface Reviewed {
  readonly targets: readonly string[];
  readonly rules: number;
  readonly judged: Judged;
}

/** @throws FerryError `config` when there is nothing to review, or something that cannot be read. */
export function review(dist: string, waiversFile: string, targets: readonly string[], day: string): Reviewed {
  const all = globSync('*/*.yaml', { cwd: dist }).sort();
  const there = [...new Set(all.map((path) => dirname(path)))];
  const missing = targets.filter((target) => !there.includes(target));
  if (there.length === 0 || missing.length > 0)
    throw new FerryError(
      'config',
      `${dist} has no YAML${missing.length > 0 ? ` of ${missing.join(', ')}` : ''}.`,
      'Write it first: npm run synth.',
    );
  const picked = targets.length > 0 ? targets : there;
  const found = picked.flatMap((target): Finding[] => {
    const files = all.filter((path) => dirname(path) === target);
    const documents = files.flatMap((path) => documentsOf(readFileSync(join(dist, path), 'utf8')));
    return findings(POD_RULES, readManifests(target, documents));
  });
  const waivers = readWaivers(waiversFile, parse(readFileSync(waiversFile, 'utf8')));
  // One target alone leaves the waivers of the others unused.
  const asked = waivers.filter(
    ({ object }) => targets.length === 0 || targets.some((one) => object.startsWith(`${one}/`)),
  );
  const names = POD_RULES.map(({ name }) => name);
  return { targets: picked, rules: POD_RULES.length, judged: judge(found, asked, day, names) };
}

function asText({ targets, rules, judged: { open, waived, faulty } }: Reviewed): string {
  const lines = open.map(
    ({ object, what, rule }) =>
      `${rule.severity} ${rule.name}: ${object}: ${what}.\n  Protects from ${rule.protectsFrom}. ${rule.remedy}\n  ${rule.reference}`,
  );
  lines.push(...faulty);
  lines.push(
    ...waived.map(
      ({ finding, waiver }) =>
        `waived until ${waiver.expires} by ${waiver.owner}: ${finding.rule.name}: ${finding.object}: ${finding.what}`,
    ),
  );
  lines.push(
    `${targets.join(', ')}: ${rules} rules, ${open.length} findings, ${waived.length} waived, ${faulty.length} faulty waivers.`,
  );
  return `${lines.join('\n')}\n`;
}

function main(): void {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dist: { type: 'string', default: join(ROOT, 'dist') },
      waivers: { type: 'string', default: join(ROOT, 'policies/waivers.yaml') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  try {
    const reviewed = review(flags.dist, flags.waivers, positionals, new Date().toISOString().slice(0, 10));
    process.stdout.write(flags.json ? `${JSON.stringify(reviewed, null, 2)}\n` : asText(reviewed));
    const { open, faulty } = reviewed.judged;
    if (open.length + faulty.length > 0) process.exitCode = EXIT.unhealthy;
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    process.stderr.write(`${error.message}\n${error.remedy}\n`);
    process.exitCode = EXIT[error.exit];
  }
}

if (import.meta.main) main();
