// The evaluator against data: every JSON file below cases/ holds documents, requests, and the decision with its reason,
// after AWS's documentation of the rule it names.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { FerryError } from '../../../app/core/errors.ts';
import { type Decision, type Documents, decide } from '../../../policies/iam/decide.ts';
import { readPolicy } from '../../../policies/iam/document.ts';

const CASES = join(import.meta.dirname, 'cases');
const ACCOUNT = '111122223333';

const documents = z.strictObject({
  identity: z.unknown().optional(),
  boundary: z.unknown().optional(),
  resource: z.unknown().optional(),
  trust: z.unknown().optional(),
});
const request = z.strictObject({
  action: z.string(),
  resource: z.string(),
  context: z.record(z.string(), z.string().nullable()).default({}),
  open: z.boolean().default(false),
  caller: z
    .strictObject({ type: z.enum(['AWS', 'Federated', 'Service']), value: z.string() })
    .default({ type: 'AWS', value: `arn:aws:iam::${ACCOUNT}:role/app` }),
  resourceAccount: z.string().default(ACCOUNT),
});
const decided = z.strictObject({
  name: z.string(),
  documents: documents.optional(),
  request,
  decision: z.enum(['allowed', 'allowed-if', 'denied']),
  because: z.string().min(2),
  conditions: z.array(z.string()).optional(),
});
const refused = z.strictObject({ name: z.string(), documents, refused: z.string().min(5) });
const caseFile = z.strictObject({
  about: z.string(),
  source: z.url(),
  documents,
  cases: z.array(z.union([decided, refused])).min(1),
});

function read(given: z.infer<typeof documents>): Documents {
  const { identity, boundary, resource, trust } = given;
  return {
    identity: identity === undefined ? undefined : readPolicy('identity', identity),
    boundary: boundary === undefined ? undefined : readPolicy('boundary', boundary),
    resource:
      trust !== undefined
        ? readPolicy('trust', trust)
        : resource === undefined || resource === 'unknown'
          ? resource
          : readPolicy('resource', resource),
  };
}

function decisionOf(given: z.infer<typeof documents>, asked: z.infer<typeof request>): Decision {
  const { action, resource, context, open, caller, resourceAccount } = asked;
  const account = caller.type === 'AWS' ? caller.value.split(':')[4] : undefined;
  return decide(read(given), {
    caller: { ...caller, account },
    action,
    resource,
    resourceAccount,
    context: { values: context, open },
  });
}

const files = globSync('**/*.json', { cwd: CASES })
  .sort()
  .map((path) => ({ path, ...caseFile.parse(JSON.parse(readFileSync(join(CASES, path), 'utf8'))) }));

for (const { path, about, documents: shared, cases } of files)
  describe(`${path}: ${about}`, () => {
    for (const each of cases)
      test(each.name, () => {
        if ('refused' in each) {
          assert.throws(
            () => read(each.documents),
            (error) => error instanceof FerryError && error.message.includes(each.refused),
          );
          return;
        }
        const decision = decisionOf(each.documents ?? shared, each.request);
        assert.equal(decision.outcome, each.decision, decision.because);
        assert.ok(decision.because.includes(each.because), decision.because);
        if (each.conditions !== undefined) assert.deepEqual(decision.conditions, each.conditions);
      });
  });

test('there are at least 150 cases, each of another name in its file', () => {
  const names = files.flatMap(({ path, cases }) => cases.map(({ name }) => `${path}: ${name}`));
  assert.ok(names.length >= 150, `${names.length} cases`);
  assert.equal(new Set(names).size, names.length);
});
