// Where a file goes: a template over its path and the hour it was last written.
import { type BytePath, toText } from './paths.ts';

/** What may stand in a key template, and what it becomes. Times are UTC, from the file's mtime. */
export const KEY_PLACEHOLDERS = {
  path: 'path below the source',
  dir: "the path's directory",
  name: "the path's last part",
  date: 'YYYY-MM-DD',
  year: 'YYYY',
  month: 'MM',
  day: 'DD',
  hour: 'HH',
} as const;

export type KeyOf = (path: BytePath, mtimeMs: number) => string;

/** The years 0000 to 9999: a file system may hold times that no date of four digits says. */
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_999;

/** Compiles a template; the settings have refused unknown placeholders. */
export function compileKey(template: string): KeyOf {
  const parts = template.split(/(\{[a-z]+\})/).filter((part) => part !== '');
  let hour = Number.NaN;
  let stamp = '';
  return (path, mtimeMs) => {
    const text = toText(path);
    // Files come in runs of the same hour: the date is formatted once per run.
    const timeMs = Math.min(LAST_MS, Math.max(FIRST_MS, Math.floor(mtimeMs)));
    const thisHour = Math.floor(timeMs / 3_600_000);
    if (thisHour !== hour) {
      hour = thisHour;
      stamp = new Date(timeMs).toISOString();
    }
    let key = '';
    for (const part of parts) key += value(part, text, stamp);
    // An empty {dir} must not leave `//` or a leading `/` behind.
    return key.includes('//') || key.startsWith('/') ? key.replace(/\/{2,}/g, '/').replace(/^\//, '') : key;
  };
}

function value(part: string, text: string, stamp: string): string {
  switch (part) {
    case '{path}':
      return text;
    case '{dir}':
      return text.slice(0, Math.max(0, text.lastIndexOf('/')));
    case '{name}':
      return text.slice(text.lastIndexOf('/') + 1);
    case '{date}':
      return stamp.slice(0, 10);
    case '{year}':
      return stamp.slice(0, 4);
    case '{month}':
      return stamp.slice(5, 7);
    case '{day}':
      return stamp.slice(8, 10);
    case '{hour}':
      return stamp.slice(11, 13);
    default:
      return part;
  }
}

/** The key for content that found its own key taken by other content. Names the content, so a repeat finds itself. */
export function conflictKey(key: string, contentHashHex: string, attempt: number): string {
  return `${key}~${contentHashHex.slice(0, 32)}${attempt > 1 ? `-${attempt}` : ''}`;
}
