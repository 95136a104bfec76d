// Names are bytes: none is lost between the disk, the program, and the key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  asideName,
  baseOf,
  joinPath,
  parentOf,
  restoredName,
  toBytePath,
  toSystemPath,
  toText,
} from '../../app/files/paths.ts';

/** A file name as the kernel allows it: 1 to 255 bytes, neither NUL nor slash. */
const NAME_BYTES = fc
  .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 255 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0x2f ? 0x2e : byte))));

test('every name of any bytes comes back as the same bytes', () => {
  fc.assert(
    fc.property(NAME_BYTES, (bytes) => {
      const system = toSystemPath(bytes.toString('latin1'));
      const back = typeof system === 'string' ? Buffer.from(system, 'utf8') : system;
      assert.equal(back.equals(bytes), true);
    }),
    { numRuns: 2_000 },
  );
});

test('a path that is UTF-8 reads as the text it is, and text becomes its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      assert.equal(toText(toBytePath(text)), text);
      assert.equal(toBytePath(text), Buffer.from(text, 'utf8').toString('latin1'));
    }),
    { numRuns: 2_000 },
  );
  for (const text of ['\ufeffwith a BOM', 'ä', '日本', '🚢', '\u{10FFFF}', 'a\u0308', '\ufffd'])
    assert.equal(toText(toBytePath(text)), text);
});

test('bytes that are not UTF-8 show as %XX, what is UTF-8 beside them stays', () => {
  const show = (...bytes: number[]): string => toText(Buffer.from(bytes).toString('latin1'));
  assert.equal(show(0x61, 0xff, 0x62), 'a%FFb');
  assert.equal(show(0xc3, 0xa4, 0xfe), 'ä%FE');
  assert.equal(show(0xe2, 0x82), '%E2%82', 'a sequence cut off');
  assert.equal(show(0xc0, 0xaf), '%C0%AF', 'an overlong slash must not become one');
  assert.equal(show(0xed, 0xa0, 0x80), '%ED%A0%80', 'a surrogate is no text');
  assert.equal(show(0xf4, 0x90, 0x80, 0x80), '%F4%90%80%80', 'above the last code point');
  assert.equal(show(0x80), '%80');
});

test('any bytes give text that is well-formed and holds no slash that was not there', () => {
  fc.assert(
    fc.property(NAME_BYTES, (bytes) => {
      const text = toText(bytes.toString('latin1'));
      assert.equal(text.isWellFormed() && !text.includes('/') && text !== '', true);
    }),
    { numRuns: 2_000 },
  );
});

test('a path splits into parent and base and joins again', () => {
  for (const path of ['a', 'a/b', 'a/b/c.txt', ' /x '])
    assert.equal(joinPath(parentOf(path), baseOf(path)), path);
  assert.deepEqual([parentOf('a'), baseOf('a'), parentOf('a/b/c'), baseOf('a/b/c')], ['', 'a', 'a/b', 'c']);
});

test('the name a file waits under before its unlink fits the file system and leads back to it', () => {
  fc.assert(
    fc.property(NAME_BYTES, (bytes) => {
      const name = bytes.toString('latin1');
      const aside = asideName(name);
      assert.ok(aside.length <= 255);
      const restored = restoredName(aside) ?? '';
      assert.ok(restored !== '' && name.endsWith(restored));
      if (name.length <= 242) assert.equal(restored, name);
    }),
  );
});

test('a name of any length up to the longest has one', () => {
  for (let length = 1; length <= 255; length += 1) {
    const name = 'abcdefg'.repeat(40).slice(0, length);
    const aside = asideName(name);
    assert.ok(aside.length <= 255);
    assert.equal(restoredName(aside), name.slice(-242));
  }
});

test('an ordinary name is never taken for one that waits', () => {
  for (const name of ['a', '.ferry', '.ferry-aside', '.ferry-aside.', 'x.ferry-aside.y', '.ferry-kept-1'])
    assert.equal(restoredName(name), undefined, name);
});
