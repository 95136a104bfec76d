import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, settingName, variableName } from '../../../app/core/settings/names.ts';

test('a field has one flag and one variable, without the unit', () => {
  assert.equal(settingName('volumeLimitBytes'), 'volume-limit');
  assert.equal(settingName('settleMs'), 'settle');
  assert.equal(settingName('sseKmsKeyId'), 'sse-kms-key-id');
  assert.equal(variableName('volume-limit'), 'FERRY_VOLUME_LIMIT');
});

test('a misspelled name finds the one that was meant, a foreign one finds none', () => {
  const known = ['source', 'settle', 'retention', 'concurrency'];
  assert.equal(nearest('sorce', known), 'source');
  assert.equal(nearest('setlte', known), 'settle');
  assert.equal(nearest('Retenton', known), 'retention');
  assert.equal(nearest('bandwidth', known), undefined);
  assert.equal(nearest('x', []), undefined);
});
