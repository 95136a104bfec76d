// The status on the page: verdict, numbers, what fails, the disk.
import { bits, count, duration, perSecond, plain, size, time } from './format.js';

/** @typedef {import('../status.ts').Status} Status */

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`there is no ${id}`);
  return element;
}

/** Text is set only when it changed: a screen reader repeats what is set. @param {Element} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} [name] class
 */
export function make(tag, text, name) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

/** Text in which what stands between backticks is to be typed. @param {Element} element @param {string} text */
function setWords(element, text) {
  if (element.textContent === text.replaceAll('`', '')) return;
  element.replaceChildren(
    ...text.split('`').map((part, index) => (index % 2 === 1 ? make('code', part) : part)),
  );
}

/** @param {Status} status */
export function showStatus(status) {
  const { headline } = status;
  const section = byId('verdict');
  section.className = headline.tone;
  section.dataset.verdict = headline.verdict;
  setText(byId('verdict-title'), plain(headline.title));
  setText(byId('verdict-detail'), plain(headline.detail));
  const remedy = byId('verdict-remedy');
  remedy.hidden = headline.remedy === undefined;
  setWords(remedy, headline.remedy === undefined ? '' : `What to do: ${headline.remedy}`);
  document.title = `${headline.title} – Ferry`;
  setText(byId('route'), `${plain(status.source)} → ${plain(status.to)}`);
  showNumbers(status);
  showTrouble(status);
  showDisk(status);
  setText(
    byId('footer'),
    `Ferry ${status.version}, running for ${duration(status.atMs - status.startedAtMs)}. Since then ${count(status.seen.files)} files seen, ${count(status.sent.files)} sent, ${count(status.deduplicated.files)} were there already, ${count(status.proved.files)} proved, ${count(status.freed.files)} freed, ${count(status.conflicts)} content conflicts.`,
  );
}

/** @param {Status} status */
function showNumbers(status) {
  const { rates } = status;
  const oldest = status.oldestUnprovedAgeMs;
  const success = status.lastSuccessAtMs;
  const arrival = status.lastArrivalAtMs;
  /** @type {[string, string, string][]} */
  const facts = [
    [
      'In',
      `${perSecond(rates.inFiles)} files/s`,
      arrival === null ? 'nothing seen yet' : `last file ${duration(status.atMs - arrival)} ago`,
    ],
    ['Out', `${perSecond(rates.outFiles)} files/s`, `${bits(rates.outBytes)} of bandwidth`],
    [
      'Backlog',
      `${count(status.backlog.files)} files`,
      `${size(status.backlog.bytes)}; ${count(status.settling)} may still grow`,
    ],
    [
      'Oldest not proved',
      oldest === null ? 'none' : duration(oldest),
      `${count(status.unproved.files)} sent, not yet proved`,
    ],
    ['Proved and kept', `${count(status.retained.files)} files`, size(status.retained.bytes)],
    [
      'Last success',
      success === null ? 'none yet' : `${duration(status.atMs - success)} ago`,
      success === null ? '' : time(success),
    ],
  ];
  const list = byId('numbers');
  if (list.children.length === 0) {
    for (const [label] of facts) {
      const group = document.createElement('div');
      const value = make('dd', '');
      value.append(make('span', ''), make('small', ''));
      group.append(make('dt', label), value);
      list.append(group);
    }
  }
  facts.forEach(([, value, more], index) => {
    const group = list.children[index];
    const [first, second] = [group?.querySelector('span'), group?.querySelector('small')];
    if (first) setText(first, value);
    if (second) setText(second, more);
  });
}

let shownTrouble = '';

/** @param {Status} status */
function showTrouble({ failing }) {
  byId('trouble').hidden = failing.length === 0;
  const text = JSON.stringify(failing);
  if (text === shownTrouble) return;
  shownTrouble = text;
  byId('trouble-rows').replaceChildren(
    ...failing.map(({ files, words, reason, remedy, example }) => {
      const row = document.createElement('tr');
      const name = make('td', example ? plain(example.name) : '', 'name');
      if (example) name.append(make('small', plain(example.message)));
      const why = make('td', words.replace(/^\d+ files? /, '').replace(/ \(.*\)$/, ''));
      why.append(make('small', reason));
      const todo = make('td', '', 'wide');
      setWords(todo, remedy);
      row.append(make('td', count(files)), why, todo, name);
      return row;
    }),
  );
}

/** @param {Status} status */
function showDisk({ disk, freeing, atMs }) {
  if (disk === null) {
    setText(byId('disk-words'), 'Not looked at yet.');
    return;
  }
  const shareOfBytes = disk.limitBytes > 0 ? disk.usedBytes / disk.limitBytes : 1;
  const shareOfInodes = disk.limitInodes ? disk.usedInodes / disk.limitInodes : 0;
  const share = Math.max(shareOfBytes, shareOfInodes);
  const fill = byId('fill');
  fill.className = disk.level;
  fill.style.width = `${Math.min(100, share * 100).toFixed(1)}%`;
  const what =
    shareOfInodes > shareOfBytes
      ? `${count(disk.usedInodes)} of ${count(disk.limitInodes ?? 0)} inodes`
      : `${size(disk.usedBytes)} of ${size(disk.limitBytes)}`;
  const full =
    disk.fullInMs === null
      ? 'It is not filling.'
      : `At its present growth it is full in ${duration(disk.fullInMs)}.`;
  setText(byId('disk-words'), `${(share * 100).toFixed(0)} % used, ${what}. ${full}`);
  const ladder = byId('ladder');
  const { low, high, critical } = disk.marks;
  if (ladder.querySelectorAll('.mark').length === 0) {
    for (const mark of [low, high, critical]) {
      const line = make('div', '', 'mark');
      line.style.left = `${mark * 100}%`;
      ladder.append(line);
    }
    const percent = (/** @type {number} */ mark) => `${(mark * 100).toFixed(0)} %`;
    byId('marks').replaceChildren(
      make(
        'li',
        `Above ${percent(high)} the oldest proved files go before their time, down to ${percent(low)}.`,
      ),
      make(
        'li',
        `Above ${percent(critical)} the volume is about to be full. A file that is not proved never goes.`,
      ),
    );
  }
  setText(byId('freeing'), freeingText(freeing, atMs));
}

/** @param {Status['freeing']} freeing @param {number} atMs */
function freeingText(freeing, atMs) {
  if (freeing === null) return 'Files are kept: nothing is ever deleted here (--keep).';
  if (freeing.firstAtMs === null)
    return `Proved files are deleted ${duration(freeing.retentionMs)} after their arrival. There is none yet.`;
  const first = freeing.firstAtMs <= atMs ? 'now' : `at ${time(freeing.firstAtMs)}`;
  const soon = `${count(freeing.files)}${freeing.more ? ' or more' : ''} within ${duration(freeing.withinMs)}`;
  return `Proved files are deleted ${duration(freeing.retentionMs)} after their arrival: the next ${first}, ${soon}.`;
}
