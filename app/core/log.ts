// Log lines: JSON for machines, one short line for a person at a terminal, and never a secret.
import { pino } from 'pino';
import { StoreError } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** The message first, then what belongs to it. Put an error under `error`. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Where lines go: `process.stdout` in the program, a list in a test. */
export interface LogStream {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

const SECRET_NAMES = [
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'authorization',
  'Authorization',
  'password',
  'token',
  'apiKey',
];

/** Hides the user and password of every URL in a text, and a signed URL's signature and token. */
export function maskText(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/gi, '$1***@')
    .replaceAll(/(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s]+/gi, '$1***');
}

/**
 * Lines of JSON with `level` as a word and `time` in ISO 8601, or, when the stream is a terminal, short lines for people.
 * `colour` is looked at for terminals only; by default NO_COLOR (https://no-color.org) decides.
 */
export function createLog(options: { level: LogLevel; stream: LogStream; colour?: boolean }): Log {
  const { stream, colour = !process.env.NO_COLOR } = options;
  const target = stream.isTTY ? { write: (line: string) => stream.write(forPeople(line, colour)) } : stream;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    },
    { write: (line: string) => void target.write(line) },
  );
  return {
    debug: (message, fields) => logger.debug(line(message, fields)),
    info: (message, fields) => logger.info(line(message, fields)),
    warn: (message, fields) => logger.warn(line(message, fields)),
    error: (message, fields) => logger.error(line(message, fields)),
  };
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The message comes first, so that a person finds it in a long line. */
function line(message: string, fields: LogFields | undefined): Record<string, unknown> {
  const { message: _taken, ...others } = plain(fields);
  return { message: maskText(message), ...others };
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof StoreError)
      result[name] = { message: maskText(value.message), fault: value.fault, code: value.code };
    else if (value instanceof Error) result[name] = { message: maskText(value.message), name: value.name };
    else if (value instanceof Map) result[name] = Object.fromEntries(value);
    else result[name] = typeof value === 'string' ? maskText(value) : value;
  }
  return result;
}

const COLOURS: Readonly<Record<string, number>> = { debug: 90, info: 36, warn: 33, error: 31 };

/** `12:03:11 info  sent files=3 bytes=3072` from a line of JSON. */
function forPeople(line: string, colour: boolean): string {
  const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>; // pino's own line
  const word = String(level);
  const shown = colour ? `\u001b[${COLOURS[word] ?? 0}m${word.padEnd(5)}\u001b[0m` : word.padEnd(5);
  // A summary's sentence says what its fields say.
  const shownFields = 'verdict' in fields ? {} : fields;
  const pairs = Object.entries(shownFields).map(([name, value]) => ` ${name}=${shortly(value)}`);
  return `${String(time).slice(11, 19)} ${shown} ${String(message)}${pairs.join('')}\n`;
}

function shortly(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
  return JSON.stringify(value) ?? String(value);
}
