// JSON in and out: values equal, and every number spelled as it came.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { at, parseExactly } from '../../app/events/exact-json.ts';

const NUMBER = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1.10',
    '1e5',
    '1E+2',
    '0.0000001',
    '12345678901234567890',
    '0.1',
    '-1.50',
    '1e400',
  ),
  fc.bigInt().map(String),
  fc.tuple(fc.nat(), fc.stringMatching(/^\d{1,25}$/)).map(([whole, rest]) => `${whole}.${rest}`),
  fc.tuple(fc.integer(), fc.integer({ min: -30, max: 30 })).map(([whole, power]) => `${whole}e${power}`),
);

test('numbers come out as they were written, in lists, objects and below', () => {
  fc.assert(
    fc.property(fc.array(NUMBER, { minLength: 1, maxLength: 6 }), fc.string(), (numbers, text) => {
      const fields = numbers.map((number, index) => `"k${index}":${number}`).join(',');
      const whole = `{"data":[{${fields}},[${numbers.join(',')}]],"text":${JSON.stringify(text)}}`;
      assert.equal(JSON.stringify(parseExactly(whole)), whole);
    }),
    { numRuns: 2_000 },
  );
});

test('any JSON value comes out equal', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(JSON.parse(JSON.stringify(parseExactly(text))), JSON.parse(text));
    }),
  );
});

test('a path finds what is there and nothing that is only inherited', () => {
  const value = { a: { b: [1, { c: null }] } };
  assert.deepEqual([at(value, ''), at(value, 'a.b.1.c'), at(value, 'a.x.c')], [value, null, undefined]);
  assert.equal(at(value, 'a.constructor'), undefined);
  assert.equal(at({}, '__proto__'), undefined);
});
