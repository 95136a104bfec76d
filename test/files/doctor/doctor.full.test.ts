import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { loadSettings } from '../../../app/core/settings/settings.ts';
import { runDoctor } from '../../../app/files/doctor/doctor.ts';
import type { Finding } from '../../../app/files/doctor/finding.ts';
import { doctorSpec } from '../../../app/files/settings.ts';
import { tempDir } from '../../support/temp.ts';
import { startVersitygw } from '../../support/versitygw.ts';

test('the doctor finds a real S3 server well, and its owner too mighty', async (t) => {
  const server = await startVersitygw();
  if ('missing' in server) return t.skip(`needs ${server.missing}`);
  t.after(() => server.stop());
  const flags = { to: `s3://${server.bucket}/site-1`, endpoint: server.endpoint, state: await tempDir(t) };
  const settings = loadSettings(doctorSpec, { flags: new Map(Object.entries(flags)), env: {} });
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const { accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  assert.equal(await runDoctor(settings, { stdout, json: true, env: {}, credentials }), 'ok', text);
  const findings: Finding[] = JSON.parse(text).findings;
  const levels = Object.fromEntries(findings.map(({ check, level }) => [check, level]));
  for (const name of ['list', 'put', 'condition', 'proof', 'checksum', 'multipart']) {
    assert.equal(levels[`s3.${name}`], 'ok', text);
  }
  for (const name of ['overwrite', 'read', 'delete']) assert.equal(levels[`s3.${name}`], 'warn', text);
});
