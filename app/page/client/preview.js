// One file looked at: what is known of it, and its beginning as text, hex or an image. Content is never run: it is set
// as text, or drawn from memory when its first bytes say that it is an image of pixels.
import { count, plain, size, time } from './format.js';
import { byId, make } from './show.js';

/** @typedef {import('./files.js').FileRow} FileRow */

const TEXT_BYTES = 65_536;
const HEX_BYTES = 4_096;
const IMAGE_MAX_BYTES = 20 * 2 ** 20;
const PROOFS = {
  put: 'S3 verified its SHA-256 at the upload, and a listing shows it',
  md5: 'a listing shows the MD5 of its content',
  checksum: 'the SHA-256 that S3 keeps was compared',
};
const dialog = /** @type {HTMLDialogElement} */ (byId('file'));
const image = /** @type {HTMLImageElement} */ (byId('preview-image'));
let url = '';
/** Counts what was asked for: an answer that comes late is not shown as another file's. */
let asked = 0;

byId('file-close').addEventListener('click', () => dialog.close());
dialog.addEventListener('close', forget);

/** @param {FileRow} file */
export async function showFile(file) {
  byId('file-name').textContent = plain(file.name);
  byId('file-facts').replaceChildren(
    ...factsOf(file).flatMap(([label, value]) => [make('dt', label), make('dd', value)]),
  );
  const link = /** @type {HTMLAnchorElement} */ (byId('file-download'));
  link.href = `api/file/${file.id}`;
  const tabs = /** @type {HTMLButtonElement[]} */ ([...byId('preview-tabs').children]);
  for (const tab of tabs) {
    tab.onclick = () => void preview(file, tab.dataset.as ?? 'text', tabs);
    if (tab.dataset.as === 'image') tab.hidden = true;
  }
  dialog.showModal();
  await preview(file, 'auto', tabs);
}

/** @param {FileRow} file @returns {[string, string][]} */
function factsOf(file) {
  /** @type {[string, string][]} */
  const facts = [
    ['Size', `${size(file.sizeBytes)} (${count(file.sizeBytes)} bytes)`],
    ['Written', time(file.writtenMs)],
    ['Arrived here', time(file.arrivedMs)],
    ['State', file.state],
  ];
  if (file.trouble) facts.push(['Why it fails', `${file.trouble.message} (${file.trouble.reason})`]);
  if (file.object) {
    facts.push(
      ['Object', plain(file.object.key)],
      ['SHA-256', file.object.sha256],
      ['ETag', file.object.etag],
    );
    if (file.object.provedAtMs !== null)
      facts.push([
        'Proved',
        `${time(file.object.provedAtMs)}: ${PROOFS[/** @type {keyof typeof PROOFS} */ (file.object.proof)]}`,
      ]);
  }
  if (file.goesAtMs !== null)
    facts.push(['Deleted here', `from ${time(file.goesAtMs)} on; it stays in the bucket`]);
  return facts;
}

/** @param {FileRow} file @param {string} as @param {HTMLButtonElement[]} tabs */
async function preview(file, as, tabs) {
  forget();
  const mine = ++asked;
  const note = byId('preview-note');
  const text = byId('preview');
  note.textContent = '';
  text.textContent = '';
  text.hidden = false;
  image.hidden = true;
  let bytes = new Uint8Array();
  if (file.sizeBytes > 0) {
    const response = await fetch(`api/file/${file.id}`, { headers: { range: `bytes=0-${TEXT_BYTES - 1}` } });
    if (!response.ok) {
      const { error = 'It cannot be read.' } = await response.json().catch(() => ({}));
      if (mine === asked) note.textContent = error;
      return;
    }
    bytes = new Uint8Array(await response.arrayBuffer());
    if (mine !== asked) return;
  }
  const type = imageType(bytes);
  const fits = type !== '' && file.sizeBytes <= IMAGE_MAX_BYTES;
  const kind = as !== 'auto' ? as : fits ? 'image' : isText(bytes) ? 'text' : 'hex';
  for (const tab of tabs) {
    if (tab.dataset.as === 'image') tab.hidden = !fits;
    tab.setAttribute('aria-pressed', String(tab.dataset.as === kind));
  }
  text.className = kind;
  if (kind === 'image') {
    const whole = await fetch(`api/file/${file.id}`);
    const content = await whole.arrayBuffer();
    if (mine !== asked) return;
    url = URL.createObjectURL(new Blob([content], { type }));
    image.src = url;
    image.alt = `Content of ${plain(file.name)}`;
    image.hidden = false;
    text.hidden = true;
    note.textContent = type;
  } else if (kind === 'hex') {
    text.textContent = hexOf(bytes.subarray(0, HEX_BYTES));
    note.textContent = firstOf(Math.min(bytes.length, HEX_BYTES), file.sizeBytes);
  } else {
    text.textContent = new TextDecoder()
      .decode(bytes)
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
    note.textContent = firstOf(bytes.length, file.sizeBytes);
  }
}

/** @param {number} shown @param {number} all */
const firstOf = (shown, all) =>
  all === 0
    ? 'The file is empty.'
    : shown < all
      ? `The first ${count(shown)} of ${count(all)} bytes.`
      : 'The whole file.';

function forget() {
  if (url !== '') URL.revokeObjectURL(url);
  url = '';
  image.removeAttribute('src');
}

/** Only what holds pixels and no script; '' otherwise. @param {Uint8Array} bytes */
function imageType(bytes) {
  const begin = String.fromCharCode(...bytes.subarray(0, 12));
  if (begin.startsWith('\x89PNG\r\n')) return 'image/png';
  if (begin.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(begin)) return 'image/gif';
  if (/^RIFF....WEBP/s.test(begin)) return 'image/webp';
  return '';
}

/** @param {Uint8Array} bytes */
function isText(bytes) {
  if (bytes.includes(0)) return false;
  try {
    // The cut may go through a character.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
