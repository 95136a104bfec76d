// Connections never take the descriptors that files and directories need.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { affordableConnections, freeDescriptors } from '../../app/core/descriptors.ts';

test('each open file is one descriptor less', { skip: process.platform !== 'linux' && 'needs Linux' }, () => {
  const before = freeDescriptors() ?? 0;
  const opened = [1, 2, 3].map(() => openSync('/proc/self/limits', 'r'));
  assert.equal(before - (freeDescriptors() ?? 0), 3);
  opened.forEach(closeSync);
  assert.equal(freeDescriptors(), before);
});

test('connections are as many as wanted, fewer where descriptors are few, and never none', () => {
  assert.equal(affordableConnections(16, undefined), 16);
  assert.equal(affordableConnections(16, 1_000), 16);
  assert.equal(affordableConnections(16, 20), 8);
  assert.equal(affordableConnections(16, 3), 1);
});
