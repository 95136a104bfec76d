// The list of files: asked for page by page, newest first.
import { count, duration, plain, size, time, utc } from './format.js';
import { showFile } from './preview.js';
import { byId, make } from './show.js';

/**
 * @typedef {{ id: string, name: string, sizeBytes: number, writtenMs: number, arrivedMs: number, state: string,
 *   trouble: { reason: string, message: string, nextMs: number } | null,
 *   object: { key: string, sha256: string, etag: string, proof: string, provedAtMs: number | null } | null,
 *   goesAtMs: number | null }} FileRow
 */

export const STATES = {
  waiting: 'waiting',
  sent: 'in S3, not yet proved',
  proved: 'proved',
  failing: 'failing',
};
/** A search that found nothing in so many steps asks whether to go on. */
const STEPS_MAX = 40;
/** What may come between the two numbers. */
const LISTED_LATE = 500;

/** @type {string | null} */
let next = null;
let shown = 0;
let asked = 0;
/** @type {() => number} */
let now = Date.now;
/** @type {() => number} how many files wait in all */
let backlog = () => 0;

/**
 * @param {boolean} names whether names may be shown here
 * @param {() => number} clock the mover's
 * @param {() => number} waiting how many files wait in all
 */
export function startFiles(names, clock, waiting) {
  now = clock;
  backlog = waiting;
  const form = byId('filter');
  if (!names) {
    form.hidden = true;
    byId('files-note').textContent =
      'From here the page shows numbers only. Names and contents are shown over 127.0.0.1 (kubectl port-forward leads there) or with the password of --page-token.';
    return;
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void load(false);
  });
  for (const id of ['state', 'since', 'from', 'to'])
    byId(id).addEventListener('change', () => void load(false));
  byId('more').addEventListener('click', () => void load(true));
  void load(false);
}

/** @param {string} id */
const entered = (id) => /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(id)).value;

/** @returns {URLSearchParams} */
function wanted() {
  const search = new URLSearchParams();
  const since = entered('since');
  byId('between').hidden = since !== 'between';
  if (entered('name') !== '') search.set('name', entered('name'));
  if (entered('state') !== '') search.set('state', entered('state'));
  if (since === 'between') {
    for (const [id, name] of [
      ['from', 'since'],
      ['to', 'until'],
    ]) {
      const at = Date.parse(`${entered(String(id))}Z`);
      if (!Number.isNaN(at) && name) search.set(name, String(at));
    }
  } else if (since !== '') search.set('since', String(Math.round(now() - Number(since))));
  return search;
}

/** @param {boolean} more */
async function load(more) {
  const mine = ++asked;
  const note = byId('files-note');
  const rows = byId('file-rows');
  const button = byId('more');
  if (!more) {
    next = null;
    shown = 0;
  }
  button.hidden = true;
  const search = wanted();
  let found = 0;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    if (next !== null) search.set('after', next);
    /** @type {{ files: FileRow[], next: string | null, searchedToMs: number | null, error?: string }} */
    let answer;
    try {
      const response = await fetch(`api/files?${search}`);
      answer = await response.json();
      if (!response.ok) throw new Error(answer.error);
    } catch (error) {
      if (mine === asked)
        note.textContent = `The files could not be asked for: ${error instanceof Error ? error.message : error}`;
      return;
    }
    if (mine !== asked) return;
    const made = answer.files.map(rowOf);
    if (!more && step === 0) rows.replaceChildren(...made);
    else rows.append(...made);
    shown += made.length;
    found += made.length;
    next = answer.next;
    if (next === null || found >= 100) break;
    note.textContent = `Looking … back to ${answer.searchedToMs === null ? 'the beginning' : utc(answer.searchedToMs)} so far, ${count(shown)} found.`;
  }
  button.hidden = next === null;
  button.textContent = found === 0 ? 'Look further back' : 'Show more';
  const fit =
    shown === 0
      ? next === null
        ? 'No file fits.'
        : 'Nothing found so far.'
      : `${count(shown)} ${shown === 1 ? 'file' : 'files'}${next === null ? '' : ', and more'}.`;
  note.textContent = `${fit}${unlisted(rows)}`;
}

/** Of a long backlog only the part that is in memory is listed. @param {Element} rows */
function unlisted(rows) {
  const listed = rows.querySelectorAll('.state-waiting, .state-failing').length;
  const hides = next === null && ['', 'waiting'].includes(entered('state')) && entered('name') === '';
  return hides && backlog() > listed + LISTED_LATE
    ? ` ${count(backlog())} files wait in all; the older ones are not listed one by one yet.`
    : '';
}

/** @param {FileRow} file */
function rowOf(file) {
  const row = document.createElement('tr');
  const name = make('td', '', 'name');
  const open = make('button', plain(file.name), 'link');
  open.setAttribute('type', 'button');
  open.addEventListener('click', () => void showFile(file));
  name.append(open);
  const written = make('td', utc(file.writtenMs));
  written.title = time(file.writtenMs);
  const state = make(
    'td',
    STATES[/** @type {keyof typeof STATES} */ (file.state)] ?? file.state,
    `state-${file.state}`,
  );
  if (file.trouble)
    state.append(make('small', `${file.trouble.reason}, again in ${duration(file.trouble.nextMs - now())}`));
  const goes = make(
    'td',
    file.goesAtMs === null ? '' : file.goesAtMs <= now() ? 'now' : `in ${duration(file.goesAtMs - now())}`,
    'goes',
  );
  const get = make('td', '');
  const link = make('a', 'Download');
  link.setAttribute('href', `api/file/${file.id}`);
  link.setAttribute('download', '');
  link.setAttribute('aria-label', `Download ${plain(file.name)}`);
  get.append(link);
  row.append(name, make('td', size(file.sizeBytes)), written, state, goes, get);
  return row;
}
