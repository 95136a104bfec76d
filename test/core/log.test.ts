import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../app/core/errors.ts';
import { createLog, maskText } from '../../app/core/log.ts';

function lines(options: { isTTY?: boolean; colour?: boolean; level?: 'debug' | 'warn' } = {}) {
  const written: string[] = [];
  const stream = { isTTY: options.isTTY === true, write: (line: string) => written.push(line) };
  const log = createLog({ level: options.level ?? 'debug', stream, colour: options.colour === true });
  return { log, written };
}

test('a line is JSON with the time in ISO 8601, the level as a word, and nothing about the process', () => {
  const { log, written } = lines();
  log.warn('sent', { files: 3, failures: new Map([['denied', 2]]) });
  const { time, ...rest } = JSON.parse(written[0] ?? '') as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, { level: 'warn', message: 'sent', files: 3, failures: { denied: 2 } });
});

test('the message stands right behind the time, before what belongs to it', () => {
  const { log, written } = lines();
  log.info('sent', { files: 3, message: 'taken' });
  assert.match(written[0] ?? '', /^\{"level":"info","time":"[^"]+","message":"sent","files":3\}\n$/);
});

test('no secret is logged: not by name, in a URL, nor in an error', () => {
  const { log, written } = lines();
  log.info('connects to https://user:hunter2@proxy/', {
    secretAccessKey: 'hunter2',
    credentials: { sessionToken: 'hunter2' },
    url: 'https://bucket/key?X-Amz-Signature=hunter2&X-Amz-Security-Token=hunter2',
    error: new StoreError('network', 'cannot reach http://me:hunter2@host', { code: 'ECONNREFUSED' }),
  });
  assert.doesNotMatch(written.join(''), /hunter2/);
  assert.match(written.join(''), /"fault":"network","code":"ECONNREFUSED"/);
});

test('a person at a terminal reads short lines, with colours only if wanted', () => {
  const plain = lines({ isTTY: true });
  plain.log.info('sent', { files: 3, to: 's3://a b' });
  assert.match(plain.written[0] ?? '', /^\d\d:\d\d:\d\d info {2}sent files=3 to="s3:\/\/a b"\n$/);
  const coloured = lines({ isTTY: true, colour: true });
  coloured.log.error('lost');
  assert.match(coloured.written[0] ?? '', /\u001b\[31merror\u001b\[0m lost/);
});

test('lines below the level are not written', () => {
  const { log, written } = lines({ level: 'warn' });
  log.info('chatter');
  log.debug('more');
  assert.deepEqual(written, []);
});

test('masking leaves harmless text alone', () => {
  const text = 's3://bucket/prefix at http://127.0.0.1:7070 for a@b.c';
  assert.equal(maskText(text), text);
  assert.equal(maskText('http://u:p@h and https://x@y/z'), 'http://***@h and https://***@y/z');
});
