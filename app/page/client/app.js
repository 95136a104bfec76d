// The page: asks for the status once, then listens for what is new as long as somebody looks.
import { drawChart } from './chart.js';
import { startFiles } from './files.js';
import { time } from './format.js';
import { byId, showStatus } from './show.js';

/** @typedef {import('../status.ts').Status} Status */
/** @typedef {import('../history.ts').Sample} Sample */

/** @type {Sample[]} */
let samples = [];
/** @type {EventSource | undefined} */
let stream;
let filesStarted = false;
/** How far this machine's clock is before the mover's, milliseconds. */
let skewMs = 0;
let backlogFiles = 0;
const SAMPLE_EVERY_MS = 10_000;
const KEPT_MS = 3_600_000;

/** @param {Status} status */
function show(status) {
  skewMs = Date.now() - status.atMs;
  backlogFiles = status.backlog.files;
  byId('offline').hidden = true;
  showStatus(status);
  const last = samples.at(-1);
  if (last === undefined || status.atMs - last.atMs >= SAMPLE_EVERY_MS) {
    samples.push({
      atMs: status.atMs,
      seenFiles: status.seen.files,
      seenBytes: status.seen.bytes,
      movedFiles: status.sent.files + status.deduplicated.files,
      movedBytes: status.sent.bytes + status.deduplicated.bytes,
      backlogFiles: status.backlog.files,
      diskBytes: status.disk?.usedBytes ?? 0,
    });
    samples = samples.filter(({ atMs }) => atMs >= status.atMs - KEPT_MS);
    drawChart(samples);
  }
  if (!filesStarted) {
    filesStarted = true;
    startFiles(
      status.names,
      () => Date.now() - skewMs,
      () => backlogFiles,
    );
  }
}

async function begin() {
  try {
    const response = await fetch('api/status');
    if (!response.ok) throw new Error(String(response.status));
    /** @type {Status & { history: Sample[] }} */
    const status = await response.json();
    samples = status.history;
    drawChart(samples);
    show(status);
    listen();
  } catch {
    offline();
    setTimeout(begin, 3_000);
  }
}

function listen() {
  if (document.hidden || stream) return;
  stream = new EventSource('api/live');
  stream.onmessage = (event) => show(JSON.parse(event.data));
  stream.onerror = () => {
    offline();
    // A refused stream is not tried again by the browser itself.
    if (stream?.readyState !== EventSource.CLOSED) return;
    stream = undefined;
    setTimeout(listen, 3_000);
  };
}

function offline() {
  const note = byId('offline');
  note.hidden = false;
  note.textContent =
    'The mover does not answer: it is stopping, or the way to it is cut. What you see is old. Trying again …';
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    listen();
    return;
  }
  stream?.close();
  stream = undefined;
});

function tick() {
  byId('clock').textContent = time(Date.now() - skewMs);
}
setInterval(tick, 1_000);
tick();
void begin();
