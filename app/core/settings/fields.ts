// The kinds of settings there are: each turns what a person wrote into a typed value, or says why it cannot.
import { resolve } from 'node:path';
// A named import of z would keep all of zod in the bundle: 10 MB more of resident memory.
import * as z from 'zod';
import { parseDurationMs, parseSizeBytes } from '../units.ts';
import { nearest } from './names.ts';

/** What people are told about a setting, in help texts, the README and errors. */
export interface About {
  /** Heading it is listed under. */
  readonly group: string;
  /** One or two sentences without a full stop at the end: what it does, in which unit. */
  readonly what: string;
  /** A value that works, as people write it. */
  readonly example: string;
  /** As people write it. Without one the setting is required or, for `optional`, may be absent. */
  readonly default?: string;
  /** What stands for a default in tables when it is no fixed value, e.g. "the file system's size". */
  readonly otherwise?: string;
  /** Never shown, not even in errors. */
  readonly secret?: boolean;
}

/** What the framework knows beyond that, from the kind of setting. */
export interface FieldInfo extends About {
  readonly kind: 'switch' | 'value';
  /** The value's name in help texts: `DIR`, `DURATION`; empty for switches. */
  readonly placeholder: string;
  /** "a duration", "one of a, b". */
  readonly expected: string;
  readonly optional: boolean;
}

const registry = z.registry<FieldInfo>();

/** Longest delay Node's timers take before they fire at once: 2^31-1 ms, a little under 25 days. */
const LONGEST_TIMER_MS = 24 * 86_400_000;

/** What is known about a setting; throws (a defect) when a schema was not made by this file. */
export function infoOf(schema: z.ZodType): FieldInfo {
  const info = registry.get(schema);
  if (!info) throw new TypeError('a settings schema holds a field that is not made by settings-fields.ts');
  return info;
}

type Parse<T> = (text: string) => { value: T } | { wrong: string };

/** A setting of any type: `parse` answers the value, or what is wrong with it ("is no …"). */
export function field<T>(about: About, placeholder: string, expected: string, parse: Parse<T>) {
  return z
    .string()
    .transform((text, context) => {
      const result = parse(text);
      if ('value' in result) return result.value;
      context.addIssue({ code: 'custom', message: result.wrong });
      return z.NEVER;
    })
    .register(registry, { ...about, kind: 'value', placeholder, expected, optional: false });
}

/** The same setting, absent unless given. `otherwise` stands for a default in tables, in place of its own. */
export function optional<T extends z.ZodType>(schema: T, otherwise?: string) {
  const either = z.union([z.undefined(), schema]);
  registry.add(either, {
    ...infoOf(schema),
    optional: true,
    ...(otherwise === undefined ? {} : { otherwise }),
  });
  return either;
}

/** `--name` / `--no-name`; true, false, 1 or 0 elsewhere. */
export function toggle(about: Omit<About, 'example'>) {
  return z
    .string()
    .transform((text, context) => {
      if (text === 'true' || text === '1') return true;
      if (text === 'false' || text === '0') return false;
      context.addIssue({ code: 'custom', message: 'is neither true nor false' });
      return z.NEVER;
    })
    .register(registry, {
      ...about,
      example: 'true',
      kind: 'switch',
      placeholder: '',
      expected: 'true or false',
      optional: false,
    });
}

/** Milliseconds. `timer` durations are waited for in one go, so they have an upper end. */
export function duration(about: About, limits: { zero?: boolean; timer?: boolean } = {}) {
  const unit = /[a-z]+$/.exec(about.example)?.[0] ?? 's';
  return field(about, 'DURATION', 'a duration (ms, s, m, h or d)', (text) => {
    if (/^\d*[1-9]\d*$/.test(text)) return { wrong: `has no unit; did you mean ${text}${unit}?` };
    const ms = parseDurationMs(text);
    if (ms === undefined) return { wrong: 'is no duration' };
    if (ms === 0 && !limits.zero) return { wrong: 'must be more than nothing' };
    if (limits.timer && ms > LONGEST_TIMER_MS) return { wrong: 'is longer than 24 days' };
    return Number.isSafeInteger(ms) ? { value: ms } : { wrong: 'is too long' };
  });
}

/** Bytes, at least 1. */
export function size(about: About) {
  return field(about, 'SIZE', 'a size (bytes, or with k, M, G, T, Ki, Mi, Gi or Ti)', (text) => {
    const bytes = parseSizeBytes(text);
    if (bytes === undefined) return { wrong: 'is no size' };
    if (bytes < 1) return { wrong: 'must be more than nothing' };
    return Number.isSafeInteger(bytes) ? { value: bytes } : { wrong: 'is too large' };
  });
}

export function count(about: About, limits: { min: number; max: number }) {
  const expected = `a whole number from ${limits.min} to ${limits.max}`;
  return field(about, 'N', expected, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) return { wrong: 'is no whole number' };
    return value >= limits.min && value <= limits.max ? { value } : { wrong: 'is out of range' };
  });
}

/** A part of a whole: above 0, at most 1. */
export function share(about: About) {
  const expected = 'a share above 0 and at most 1';
  return field(about, 'SHARE', expected, (text) => {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) return { wrong: 'is no number' };
    if (value > 0 && value <= 1) return { value };
    const percent = value > 1 && value <= 100 ? `; did you mean ${value / 100}?` : '';
    return { wrong: `is out of range${percent}` };
  });
}

export function choice<const T extends string>(about: About, choices: readonly T[]) {
  const expected = `one of ${choices.join(', ')}`;
  return field(about, choices.join('|'), expected, (text): { value: T } | { wrong: string } => {
    const value = choices.find((candidate) => candidate === text);
    if (value !== undefined) return { value };
    const meant = nearest(text, choices);
    return { wrong: meant === undefined ? 'is unknown' : `is unknown; did you mean ${meant}?` };
  });
}

/** Text that must match a pattern. */
export function text(about: About, placeholder: string, expected: string, pattern: RegExp) {
  return field(about, placeholder, expected, (given) =>
    pattern.test(given) ? { value: given } : { wrong: `is not ${expected}` },
  );
}

/** An absolute path; a relative one starts at the directory Ferry was started in. It need not exist. */
export function directory(about: About) {
  return field(about, 'DIR', 'a directory', parseDirectory);
}

export function parseDirectory(text: string): { value: string } | { wrong: string } {
  if (text.includes('\0')) return { wrong: 'holds a NUL byte' };
  if (/^~/.test(text)) return { wrong: 'starts with ~, which only a shell replaces' };
  return { value: resolve(text) };
}

/** An http or https URL. A user and password in it are never shown. */
export function httpUrl(about: About) {
  return field(about, 'URL', 'an http:// or https:// URL', (given) => {
    if (!/^https?:\/\//i.test(given)) return { wrong: 'does not start with http:// or https://' };
    if (!URL.canParse(given)) return { wrong: 'is no URL' };
    const url = new URL(given);
    if (url.search !== '' || url.hash !== '') return { wrong: 'has a ? or # part' };
    return { value: given.replace(/\/+$/, '') };
  });
}

/** `host:port`; an IPv6 address in brackets. */
export function hostPort(about: About) {
  return field(about, 'HOST:PORT', 'a host and a port', (given) => {
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9.-]*):(\d{1,5})$/i.exec(given);
    if (!match) return { wrong: 'is no host and port' };
    return Number(match[2]) <= 65_535 ? { value: given } : { wrong: 'has a port above 65535' };
  });
}
