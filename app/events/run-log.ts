// Log lines of one unit: to where the whole run logs, and kept aside, so that they become an object beside the data.
import { gzipSync } from 'node:zlib';
import { createLog, type Log, type LogFields, type LogLevel } from '../core/log.ts';
import { OS_BYTE, OS_UNKNOWN } from './compress.ts';
import type { Secret } from './secret.ts';

export interface UnitLog {
  readonly log: Log;
  /** A line for the object alone. */
  note(message: string, fields?: LogFields): void;
  /** The lines so far as gzipped NDJSON. */
  compressed(): Buffer;
}

/** More lines than that of one unit say nothing new; the last line says how many were left out. */
const KEPT_LINES = 2_000;

export function createUnitLog(run: Log, level: LogLevel, key: Secret): UnitLog {
  const lines: string[] = [];
  let leftOut = 0;
  const kept = createLog({
    level,
    stream: {
      write: (line) => {
        if (lines.length < KEPT_LINES) lines.push(key.mask(line));
        else leftOut += 1;
      },
    },
  });
  const both =
    (name: keyof Log): Log[typeof name] =>
    (message, fields) => {
      run[name](message, fields);
      kept[name](message, fields);
    };
  return {
    log: { debug: both('debug'), info: both('info'), warn: both('warn'), error: both('error') },
    note: (message, fields) => kept.info(message, fields),
    compressed() {
      const end =
        leftOut === 0 ? '' : `${JSON.stringify({ message: `${leftOut} more lines were left out` })}\n`;
      const body = gzipSync(lines.join('') + end);
      body[OS_BYTE] = OS_UNKNOWN;
      return body;
    },
  };
}
