import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusLine } from '../../app/files/live-status.ts';
import { createPainter } from '../../app/files/painter.ts';

/** What a terminal of this width would show after these bytes. */
function screenAfter(bytes: string, columns: number): string[] {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  for (const [token, up, other, character] of bytes.matchAll(
    /\u001b\[(\d+)A|\u001b\[([?0-9]*[A-Za-z])|([\s\S])/g,
  )) {
    if (up !== undefined) row = Math.max(0, row - Number(up));
    else if (other === '2K') rows[row] = '';
    else if (other === '0J') {
      rows.length = row + 1;
      rows[row] = (rows[row] ?? '').slice(0, column);
    } else if (character === '\r') column = 0;
    else if (character === '\n') {
      row += 1;
      column = 0;
      rows[row] ??= '';
    } else if (character !== undefined) {
      if (column === columns) {
        row += 1;
        column = 0;
        rows[row] ??= '';
      }
      rows[row] = `${(rows[row] ?? '').slice(0, column)}${character}${(rows[row] ?? '').slice(column + 1)}`;
      column += 1;
    } else assert.ok(/^\u001b\[(\?25[hl]|\d+m)$/.test(token), `unknown escape ${JSON.stringify(token)}`);
  }
  return rows;
}

const plain = (...texts: string[]): StatusLine[] => texts.map((text) => [[text, 'plain']]);

test('painting again replaces the last picture and leaves what stands above', () => {
  let bytes = 'three lines\n';
  const painter = createPainter({ columns: 20, rows: 24, write: (text) => (bytes += text) }, false);
  painter.paint(plain('a1', 'b1', 'c1'));
  painter.paint(plain('a2', 'b2'));
  painter.paint(plain('a3 longer', 'b3', 'c3'));
  painter.close();
  bytes += 'balance\n';
  assert.deepEqual(screenAfter(bytes, 20), ['three lines', 'a3 longer', 'b3', 'c3', 'balance', '']);
});

test('a terminal that says it has no rows is drawn on all the same', () => {
  let bytes = '';
  const painter = createPainter({ columns: 0, rows: 0, write: (text) => (bytes += text) }, false);
  painter.paint(plain('a', 'b'));
  assert.deepEqual(screenAfter(bytes, 80), ['a', 'b', '']);
});

test('a line written above the picture stays, and the picture stands below it', () => {
  let bytes = '';
  const painter = createPainter({ columns: 20, rows: 24, write: (text) => (bytes += text) }, false);
  painter.above('before\n');
  painter.paint(plain('a1', 'b1'));
  painter.above('a line\n');
  painter.paint(plain('a2', 'b2'));
  painter.close();
  painter.above('after\n');
  assert.deepEqual(screenAfter(bytes, 20), ['before', 'a line', 'a2', 'b2', 'after', '']);
});

test('the cursor is hidden while painting and back after the end, which may come twice', () => {
  let bytes = '';
  const listeners = process.listenerCount('exit');
  const painter = createPainter({ columns: 20, write: (text) => (bytes += text) }, false);
  painter.paint(plain('a'));
  assert.ok(bytes.startsWith('\u001b[?25l'));
  assert.equal(process.listenerCount('exit'), listeners + 1);
  painter.close();
  painter.close();
  painter.paint(plain('never'));
  assert.ok(bytes.endsWith('a\n\u001b[?25h'));
  assert.equal(process.listenerCount('exit'), listeners);
});

test('a terminal with few rows gets the first lines only', () => {
  let bytes = '';
  const painter = createPainter({ columns: 20, rows: 3, write: (text) => (bytes += text) }, false);
  painter.paint(plain('a', 'b', 'c', 'd'));
  painter.paint(plain('e', 'f', 'g', 'h'));
  painter.close();
  assert.deepEqual(screenAfter(bytes, 20), ['e', 'f', '']);
});

test('lines that a narrower window has wrapped are replaced too', () => {
  let bytes = '';
  const terminal = { columns: 10, rows: 24, write: (text: string) => (bytes += text) };
  const painter = createPainter(terminal, false);
  painter.paint(plain('0123456789', 'b'));
  const wrapped = `${screenAfter(bytes, 10)[0]?.slice(0, 6)}\n${screenAfter(bytes, 10)[0]?.slice(6)}\nb\n`;
  bytes = wrapped;
  terminal.columns = 6;
  painter.paint(plain('a', 'b'));
  painter.close();
  assert.deepEqual(screenAfter(bytes, 6), ['a', 'b', '']);
});

test('colours are there when allowed and only then', () => {
  for (const colours of [true, false]) {
    let bytes = '';
    const painter = createPainter({ columns: 80, write: (text) => (bytes += text) }, colours);
    painter.paint([
      [
        ['disk ', 'dim'],
        ['97%', 'bad'],
        [' full', 'plain'],
      ],
    ]);
    painter.close();
    assert.equal(/\u001b\[31m97%\u001b\[0m/.test(bytes), colours);
    assert.deepEqual(screenAfter(bytes, 80), ['disk 97% full', '']);
  }
});
