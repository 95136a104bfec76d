// `npm run review`: every rule over what the Pulumi program declares and over the YAML that `npm run synth` has written,
// and what waivers say of it. Neither an account nor Pulumi's command line is needed.
//
//   node policies/review.ts                  every target below dist/
//   node policies/review.ts staging --json   one, for machines
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { EXIT, FerryError } from '../app/core/errors.ts';
import { documentsOf } from '../manifests/synth.ts';
import type { Finding } from './rules/rule.ts';
import { RULE_NAMES, targetFindings } from './target.ts';
import { type Judged, judge, readWaivers, waiversOf } from './waivers.ts';

const ROOT = dirname(import.meta.dirname);

const HELP = `Usage: npm run review -- [target …] [--dist DIR] [--settings DIR] [--waivers FILE] [--json]

Checks what Pulumi would make for each target, and dist/<target>/*.yaml, against every rule of policies/rules. It asks
neither AWS nor a cluster. Exit code 0: nothing is found that is not waived; 6: something is, or a waiver has expired or
is not used; 2: there is nothing to review, or settings are refused.

Examples:
  npm run synth && npm run review
  npm run review -- staging --json
`;

export interface ReviewOptions {
  /** Folder of the YAML, a folder for each target. */
  readonly dist: string;
  /** Folder of Pulumi.<target>.yaml. */
  readonly settings: string;
  readonly waivers: string;
  /** Empty: every target below `dist`. */
  readonly targets: readonly string[];
  /** Today in UTC, `2026-11-20`. */
  readonly day: string;
}

export interface Reviewed {
  readonly targets: readonly string[];
  readonly rules: number;
  readonly judged: Judged;
}

/** @throws FerryError `config` when there is nothing to review, or something that cannot be read. */
export async function review({ dist, settings, waivers, targets, day }: ReviewOptions): Promise<Reviewed> {
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
  // Pulumi's library takes longer to load than everything else here.
  const { declaredTarget } = await import('./deployed.ts');
  const found: Finding[] = [];
  for (const target of picked) {
    const files = all.filter((path) => dirname(path) === target);
    const documents = files.flatMap((path) => documentsOf(readFileSync(join(dist, path), 'utf8')));
    found.push(...targetFindings(await declaredTarget(settings, target, documents)));
  }
  const given = readWaivers(waivers, parse(readFileSync(waivers, 'utf8')));
  // One target alone leaves the waivers of the others unused.
  const asked = targets.length === 0 ? given : waiversOf(given, targets);
  return { targets: picked, rules: RULE_NAMES.length, judged: judge(found, asked, day, RULE_NAMES) };
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

async function main(): Promise<void> {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dist: { type: 'string', default: join(ROOT, 'dist') },
      settings: { type: 'string', default: ROOT },
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
    const { dist, settings, waivers } = flags;
    const day = new Date().toISOString().slice(0, 10);
    const reviewed = await review({ dist, settings, waivers, targets: positionals, day });
    process.stdout.write(flags.json ? `${JSON.stringify(reviewed, null, 2)}\n` : asText(reviewed));
    const { open, faulty } = reviewed.judged;
    if (open.length + faulty.length > 0) process.exitCode = EXIT.unhealthy;
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    process.stderr.write(`${error.message}\n${error.remedy}\n`);
    process.exitCode = EXIT[error.exit];
  }
}

if (import.meta.main) await main();
