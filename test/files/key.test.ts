// A file's key: what each placeholder becomes, and that every file has one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileKey, conflictKey, KEY_PLACEHOLDERS } from '../../app/files/key.ts';
import { toBytePath } from '../../app/files/paths.ts';

const AT = Date.UTC(2026, 10, 20, 13, 59, 59, 999);

test('each placeholder becomes what the table says', () => {
  const expected: Record<keyof typeof KEY_PLACEHOLDERS, string> = {
    path: 'in/box/a.json',
    dir: 'in/box',
    name: 'a.json',
    date: '2026-11-20',
    year: '2026',
    month: '11',
    day: '20',
    hour: '13',
  };
  assert.deepEqual(Object.keys(KEY_PLACEHOLDERS).sort(), Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected))
    assert.equal(compileKey(`p-{${name}}.s`)('in/box/a.json', AT), `p-${value}.s`);
});

test('{path} alone mirrors the directory', () => {
  const mirror = compileKey('{path}');
  for (const path of ['a', 'a/b c/d+e%20.txt', 'x/y\nz']) assert.equal(mirror(path, AT), path);
  assert.equal(mirror(toBytePath('日/🚢'), AT), '日/🚢');
});

test('a file at the top leaves neither a leading nor a double slash where {dir} is empty', () => {
  assert.equal(compileKey('{dir}/{path}')('a', AT), 'a');
  assert.equal(compileKey('x/{dir}/{name}')('a', AT), 'x/a');
  assert.equal(compileKey('{dir}/{dir}/{path}')('a', AT), 'a');
});

test('hours change at the UTC hour, in any order of files', () => {
  const keyOf = compileKey('{date}T{hour}/{path}');
  assert.equal(keyOf('a', AT), '2026-11-20T13/a');
  assert.equal(keyOf('a', AT + 1), '2026-11-20T14/a');
  assert.equal(keyOf('a', AT), '2026-11-20T13/a');
  assert.equal(keyOf('a', AT + 0.5), '2026-11-20T13/a', 'a fraction of a millisecond');
  assert.equal(keyOf('a', Date.UTC(2026, 11, 31, 23, 59, 59, 999)), '2026-12-31T23/a');
  assert.equal(keyOf('a', Date.UTC(2027, 0, 1)), '2027-01-01T00/a');
  assert.equal(keyOf('a', 0), '1970-01-01T00/a');
  assert.equal(keyOf('a', -1), '1969-12-31T23/a');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e12, max: 1e13 }), { minLength: 1 }), (times) => {
      for (const time of times) {
        const stamp = new Date(time).toISOString();
        assert.equal(keyOf('a', time), `${stamp.slice(0, 13)}/a`);
      }
    }),
  );
});

test('a file whose time no calendar holds still has a key', () => {
  const keyOf = compileKey('dt={date}/hh={hour}/{path}');
  for (const time of [1e15, 1e16, 9.2e21, -1e15, -1e16]) {
    assert.match(keyOf('a', time), /^dt=\d{4}-\d\d-\d\d\/hh=\d\d\/a$/);
  }
});

test('a conflict key names the content, so the same content finds the same key', () => {
  const md5 = 'd41d8cd98f00b204e9800998ecf8427e';
  assert.equal(conflictKey('a/b', md5, 1), `a/b~${md5}`);
  assert.equal(conflictKey('a/b', md5, 2), `a/b~${md5}-2`);
  assert.equal(conflictKey('a/b', `${md5}-17`, 1), `a/b~${md5}`);
});
