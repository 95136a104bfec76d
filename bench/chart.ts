// docs/benchmark.svg: CPU per file as bars. Written by hand: the libraries that draw without a browser weigh tens of
// megabytes or are no longer kept, and this is a dozen rectangles. Readable on a light and a dark page.
import { type CaseResult, type Report, summarize } from './results.ts';

const WIDTH = 760;
const LABEL_WIDTH = 170;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 22;
const GAP = 8;
const TITLE_HEIGHT = 44;
const STYLE =
  'text{font:14px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.bar{fill:#8c959f}.own{fill:#0a6ebd}' +
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.own{fill:#4aa8ff}}';

/** The cases that show what a small file costs. */
const SHOWN = ['cold-1k', 'cold-13k', 'tls'];
/** In their place while none of them is on record. */
const OTHERWISE = ['small'];

export function chart(report: Report): string {
  let y = 0;
  let body = '';
  const named = (names: readonly string[]): CaseResult[] =>
    report.cases.filter(({ name }) => names.includes(name));
  const shown = named(SHOWN);
  for (const result of shown.length > 0 ? shown : named(OTHERWISE)) {
    const block = bars(result, y);
    body += block.svg;
    y = block.bottom;
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + GAP}" width="${WIDTH}" role="img" ` +
    `aria-label="CPU milliseconds per file, Ferry and its peers; shorter is better"><style>${STYLE}</style>${body}</svg>\n`
  );
}

function bars(result: CaseResult, top: number): { svg: string; bottom: number } {
  const values = result.contenders
    .map(({ name, runs }) => ({ name, ms: summarize(runs, result.files).cpuMsPerFile }))
    .sort((a, b) => a.ms - b.ms);
  const most = Math.max(...values.map(({ ms }) => ms), Number.MIN_VALUE);
  let y = top + TITLE_HEIGHT;
  let svg = `<text class="title" x="8" y="${y - 14}">CPU per file, ${escapeXml(result.title)} (ms, shorter is better)</text>\n`;
  for (const { name, ms } of values) {
    const width = ((WIDTH - LABEL_WIDTH - VALUE_WIDTH) * ms) / most;
    const baseline = y + BAR_HEIGHT - 6;
    svg +=
      `<text x="${LABEL_WIDTH - 8}" y="${baseline}" text-anchor="end">${escapeXml(name)}</text>` +
      `<rect class="bar${name === 'Ferry' ? ' own' : ''}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>` +
      `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${baseline}">${ms.toFixed(3)}</text>\n`;
    y += BAR_HEIGHT + GAP;
  }
  return { svg, bottom: y };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
