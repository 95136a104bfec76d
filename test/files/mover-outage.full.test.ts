// Longer outages of every kind.
import { test } from 'node:test';
import { boundedOutage } from '../support/outage.ts';
import { DENIED, type FaultAction, SLOW_DOWN } from '../support/s3/faults.ts';

const OUTAGES: Record<string, FaultAction> = {
  'connections are reset': { kind: 'reset' },
  'answers are lost after the object was stored': { kind: 'lost-answer' },
  'every call gets 503 SlowDown': SLOW_DOWN,
  'every call gets 500': { kind: 'status', status: 500, code: 'InternalError' },
  'every call is denied': DENIED,
};

for (const [name, action] of Object.entries(OUTAGES)) {
  test(`while ${name} for 4 s the requests are bounded; afterwards every file lands once`, (t) =>
    boundedOutage(t, action, 4_000));
}
