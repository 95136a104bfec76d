// `npm run review:page`: writes policies/REVIEW.md anew, from the settings of every target that has a role.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { readEvents } from '../manifests/events/read.ts';
import { readBeside } from '../manifests/settings/files.ts';
import { readTarget } from '../manifests/settings/read.ts';
import { rolesOf } from './deployed.ts';
import { readActionFacts } from './iam/facts.ts';
import { reachOf, readRole } from './iam/reach.ts';
import { reviewPage } from './page.ts';
import { AGREEMENT_RULES } from './rules/agreement/agreement.ts';
import { BUCKET_RULES } from './rules/buckets.ts';
import { POD_RULES } from './rules/pods.ts';
import { ROLE_RULES } from './rules/roles.ts';
import { readWaivers } from './waivers.ts';

const ROOT = dirname(import.meta.dirname);

export const PAGE = join(ROOT, 'policies/REVIEW.md');

/** The page as it must be now. */
export async function pageNow(): Promise<string> {
  const facts = await readActionFacts();
  const roles = globSync('Pulumi.*.yaml', { cwd: ROOT })
    .sort()
    .flatMap((file) => {
      const content = readFileSync(join(ROOT, file), 'utf8');
      const settings = readTarget(file, content);
      const events = readEvents(file, content, settings, (path) => readBeside(ROOT, path));
      return rolesOf(settings, events).map((role) => {
        const read = readRole(role);
        return { target: file.split('.')[1] ?? file, read, reach: reachOf(read, facts.actions) };
      });
    });
  const waivers = join(ROOT, 'policies/waivers.yaml');
  return reviewPage({
    factsVersion: facts.version,
    actions: facts.actions.length,
    roles,
    rules: [
      { about: 'Roles, and what their bucket refuses', rules: ROLE_RULES },
      { about: 'Settings of the bucket', rules: BUCKET_RULES },
      { about: 'Pods, namespaces and jobs', rules: POD_RULES },
      { about: 'YAML and account agree', rules: AGREEMENT_RULES },
    ],
    waivers: readWaivers(waivers, parse(readFileSync(waivers, 'utf8'))),
  });
}

if (import.meta.main) {
  writeFileSync(PAGE, await pageNow());
  process.stdout.write('policies/REVIEW.md\n');
}
