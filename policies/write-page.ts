// `npm run review:page`: writes policies/REVIEW.md anew with the two records it is made of: what each role may do now,
// and what it might do at the last tagged version.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { declaredTarget } from './deployed.ts';
import { type ActionFacts, readActionFacts } from './iam/facts.ts';
import { reachOf, readRole } from './iam/reach.ts';
import { reviewPage } from './page.ts';
import {
  type AllowedRecord,
  NOTHING_TAGGED,
  type RoleReach,
  readTagged,
  recordOf,
  type TaggedRecord,
  textOf,
} from './record.ts';
import { taggedRecords } from './tagged.ts';
import type { TargetInReview } from './target.ts';
import { readWaivers } from './waivers.ts';

const ROOT = dirname(import.meta.dirname);

export const PAGE = join(ROOT, 'policies/REVIEW.md');
export const RECORD = join(ROOT, 'policies/allowed.json');
export const TAGGED = join(ROOT, 'policies/allowed.tagged.json');

export interface Review {
  readonly page: string;
  readonly record: AllowedRecord;
  readonly targets: readonly TargetInReview[];
  readonly roles: readonly RoleReach[];
  readonly facts: ActionFacts;
}

/** The page and its record as they must be now. */
export async function reviewNow(tagged: TaggedRecord): Promise<Review> {
  const facts = await readActionFacts();
  const targets: TargetInReview[] = [];
  for (const file of globSync('Pulumi.*.yaml', { cwd: ROOT }).sort())
    targets.push(await declaredTarget(ROOT, file.split('.')[1] ?? file, 'synthesized'));
  const roles = targets.flatMap(({ name, roles }) =>
    roles.map((role): RoleReach => {
      const read = readRole(role);
      return { target: name, read, reach: reachOf(read, facts.actions) };
    }),
  );
  const record = recordOf(roles);
  const waivers = join(ROOT, 'policies/waivers.yaml');
  const page = reviewPage({
    factsVersion: facts.version,
    actions: facts.actions.length,
    targets,
    roles,
    recorded: record,
    tagged,
    waivers: readWaivers(waivers, parse(readFileSync(waivers, 'utf8'))),
  });
  return { page, record, targets, roles, facts };
}

/** The copy that is committed. */
export function committedTagged(): TaggedRecord {
  return existsSync(TAGGED) ? readTagged(TAGGED, readFileSync(TAGGED, 'utf8')) : NOTHING_TAGGED;
}

if (import.meta.main) {
  // A clone that knows no tag leaves the copy as it is.
  const tagged = taggedRecords(ROOT)[0] ?? committedTagged();
  const { page, record } = await reviewNow(tagged);
  writeFileSync(TAGGED, textOf(tagged));
  writeFileSync(RECORD, textOf(record));
  writeFileSync(PAGE, page);
  process.stdout.write('policies/REVIEW.md\npolicies/allowed.json\npolicies/allowed.tagged.json\n');
}
