// The chart of the last hour: files a second in and out, and the backlog; in words and as a table too.
import { count, perSecond, size, utc } from './format.js';
import { byId, make } from './show.js';

/** @typedef {import('../history.ts').Sample} Sample */
/** @typedef {import('uplot')} uPlot */

const HEIGHT = 220;
const TABLE_STEP_MS = 300_000;
/** @type {uPlot | undefined} */
let chart;

/** A sample each ten seconds, oldest first. @param {Sample[]} samples */
export function drawChart(samples) {
  /** @type {number[]} */
  const at = [];
  /** @type {number[]} */
  const into = [];
  /** @type {number[]} */
  const out = [];
  /** @type {number[]} */
  const backlog = [];
  samples.forEach((sample, index) => {
    const before = samples[index - 1];
    if (!before || sample.atMs <= before.atMs) return;
    const seconds = (sample.atMs - before.atMs) / 1_000;
    at.push(sample.atMs / 1_000);
    into.push(Math.max(0, (sample.seenFiles - before.seenFiles) / seconds));
    out.push(Math.max(0, (sample.movedFiles - before.movedFiles) / seconds));
    backlog.push(sample.backlogFiles);
  });
  byId('chart-words').textContent = inWords(samples);
  fillTable(samples);
  if (at.length === 0) return;
  if (chart) chart.setData([at, into, out, backlog]);
  else chart = create([at, into, out, backlog]);
  tellLast(chart);
}

/** Where nobody points at the chart its legend tells of now. @param {uPlot} plot */
function tellLast(plot) {
  if (typeof plot.cursor.idx !== 'number') plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

/** @param {[number[], number[], number[], number[]]} data */
function create(data) {
  const element = byId('chart');
  const colour = (/** @type {string} */ name) => {
    const probe = make('span', '');
    probe.style.color = `var(${name})`;
    element.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const axis = {
    stroke: () => colour('--soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { stroke: () => colour('--line') },
  };
  /** @type {typeof import('uplot')} */
  const Plot = /** @type {any} */ (window).uPlot;
  const made = new Plot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1_000), 'UTC'),
      scales: {
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
        backlog: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
      },
      axes: [
        { ...axis, values: '{HH}:{mm}' },
        { ...axis, label: 'files/s', labelSize: 20 },
        { ...axis, scale: 'backlog', side: 1, label: 'backlog', labelSize: 20, grid: { show: false } },
      ],
      hooks: { setCursor: [tellLast] },
      series: [
        { label: 'UTC', value: (_, seconds) => (seconds === null ? '--' : utc(seconds * 1_000)) },
        {
          label: 'in, files/s',
          stroke: () => colour('--in'),
          width: 2,
          value: (_, value) => (value === null ? '--' : perSecond(value)),
        },
        {
          label: 'out, files/s',
          stroke: () => colour('--out'),
          width: 2,
          dash: [6, 4],
          value: (_, value) => (value === null ? '--' : perSecond(value)),
        },
        {
          label: 'backlog, files',
          scale: 'backlog',
          stroke: () => colour('--warn'),
          width: 1.5,
          dash: [2, 3],
          value: (_, value) => (value === null ? '--' : count(value)),
        },
      ],
    },
    data,
    element,
  );
  new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => made.redraw());
  return made;
}

/** @param {Sample[]} samples */
function inWords(samples) {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs <= first.atMs)
    return 'Samples are taken every ten seconds; the first ones are on their way.';
  const minutes = Math.max(1, Math.round((last.atMs - first.atMs) / 60_000));
  const [files, bytes] = [last.seenFiles - first.seenFiles, last.seenBytes - first.seenBytes];
  return `In ${minutes} min ${count(files)} files (${size(bytes)}) came in and ${count(last.movedFiles - first.movedFiles)} (${size(last.movedBytes - first.movedBytes)}) went out.`;
}

let tableUntilMs = 0;

/** @param {Sample[]} samples */
function fillTable(samples) {
  const last = samples.at(-1);
  if (!last || last.atMs - tableUntilMs < 60_000) return;
  tableUntilMs = last.atMs;
  const rows = [];
  for (let until = last; ; ) {
    const from = samples.findLast(({ atMs }) => atMs <= until.atMs - TABLE_STEP_MS) ?? samples[0];
    if (!from || from.atMs >= until.atMs) break;
    const row = document.createElement('tr');
    row.append(
      make('td', utc(until.atMs)),
      make('td', count(until.seenFiles - from.seenFiles)),
      make('td', count(until.movedFiles - from.movedFiles)),
      make('td', size(until.seenBytes - from.seenBytes)),
      make('td', size(until.movedBytes - from.movedBytes)),
      make('td', count(until.backlogFiles)),
    );
    rows.push(row);
    until = from;
  }
  byId('hour-rows').replaceChildren(...rows);
}
