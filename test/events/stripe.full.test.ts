// A real API: stripe-mock answers Stripe's list calls with Stripe's own documents; described in settings, moved, sealed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ferry } from '../support/cli.ts';
import { readDay } from '../support/events/rig.ts';
import { findGoProgram } from '../support/go-program.ts';
import { tempDir, until } from '../support/temp.ts';
import { answers, freePort } from '../support/versitygw.ts';

const DAY = '2026-11-19';
const TYPES = {
  balance_transaction: 'balance_transactions',
  charge: 'charges',
  customer: 'customers',
  dispute: 'disputes',
  event: 'events',
  refund: 'refunds',
};

test('stripe-mock: every list of Stripe’s is moved by its description alone', async (t) => {
  const found = await findGoProgram('stripe-mock', 'github.com/stripe/stripe-mock@latest');
  if (typeof found !== 'string') return t.skip(found.missing);
  const port = await freePort();
  const server = spawn(found, ['-http-port', String(port)], { stdio: 'ignore' });
  t.after(() => server.kill());
  await until(() => answers(port), 'stripe-mock listens', 30_000);
  const directory = await tempDir(t);
  const config = join(directory, 'events.yaml');
  const types = Object.entries(TYPES).map(([type, path]) => `    ${type}: ${path}`);
  writeFileSync(
    config,
    `url: http://127.0.0.1:${port}/v1
save_data_locally: true
events: [${Object.keys(TYPES).join(', ')}]
api:
  method: GET
  path: /{type}
  types:
${types.join('\n')}
  query:
    created[gte]: '{start_unix}'
    created[lt]: '{end_unix}'
    limit: '{limit}'
    starting_after: '{cursor}'
  auth: { header: Authorization, value: 'Bearer {key}' }
  page: { by: last_id, more: has_more }
`,
  );
  const { exit, stdout, stderr } = await ferry(['events', '--config', config, '--day', DAY], {
    cwd: directory,
    env: { API_KEY: 'sk_test_123456789' },
  });
  assert.equal(exit, 0, stdout + stderr);
  for (const type of Object.keys(TYPES)) {
    const day = readDay(join(directory, 'data'), type, DAY);
    assert.equal(day?.docs.length, 1, type);
    assert.equal(day.docs[0]?.object, type);
  }
  const refused = await ferry(['events', '--config', config, '--day', '2026-11-18', '--type', 'charge'], {
    cwd: directory,
    env: { API_KEY: 'no-key-of-stripe' },
  });
  assert.equal(refused.exit, 8, refused.stdout);
  assert.match(refused.stdout, /charge\/2026-11-18 failed: .*HTTP 401/);
});
