// The page's own files. Read from where they stand in a checkout; the bundle carries them inside (see bundle.ts).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const CLIENT = join(import.meta.dirname ?? '', 'client');

const OWN = ['index.html', 'app.css', 'app.js', 'chart.js', 'files.js', 'format.js', 'preview.js', 'show.js'];
const CHART = { 'uplot.js': 'uplot/dist/uPlot.iife.min.js', 'uplot.css': 'uplot/dist/uPlot.min.css' };

/** Every file by its name, compressed. */
export function pageFiles(): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of OWN) files.set(name, gzipSync(readFileSync(join(CLIENT, name)), { level: 9 }));
  for (const [name, module] of Object.entries(CHART)) {
    const path = fileURLToPath(import.meta.resolve(module));
    files.set(name, gzipSync(readFileSync(path), { level: 9 }));
  }
  return files;
}
