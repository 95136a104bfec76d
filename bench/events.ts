// The events mover's figure in docs/benchmark.md. It is measured by test/events/million.full.test.ts, which with
// FERRY_WRITE_DOCS=1 keeps what it saw in docs/benchmark-events.json.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const RECORD = join(import.meta.dirname, '../docs/benchmark-events.json');
const schema = z.strictObject({
  date: z.string(),
  records: z.number(),
  peakRssBytes: z.number(),
  seconds: z.number(),
});

export type EventsRecord = z.output<typeof schema>;

export function keepEventsRecord(record: EventsRecord): void {
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
}

/** The last section of the page; empty where nothing was measured. */
export function eventsSection(): string {
  if (!existsSync(RECORD)) return '';
  const { date, records, peakRssBytes, seconds } = schema.parse(JSON.parse(readFileSync(RECORD, 'utf8')));
  const rate = Math.round(records / seconds).toLocaleString('en-US');
  return [
    '',
    '## A million events of one day',
    '',
    `\`ferry events\` as the image runs it, against a local server that costs next to nothing, into a folder, ${date}:`,
    `${records.toLocaleString('en-US')} records of about 300 bytes in ${seconds.toFixed(1)} s, ${rate} a second from start to exit; ` +
      `peak memory ${(peakRssBytes / 2 ** 20).toFixed(0)} MiB.`,
    '`FERRY_WRITE_DOCS=1 node test/support/run.ts full million` measures it anew.',
    '',
  ].join('\n');
}
