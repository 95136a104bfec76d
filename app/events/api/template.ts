// Filling a description's templates: texts with `{placeholders}`, alone or inside parameters and bodies.
import { addDays, dayStartMs } from '../days.ts';
import { type ApiDescription, PLACEHOLDERS, type Placeholder } from './description.ts';

/** Undefined: not known on this page; what holds it is left out. */
export type Values = Readonly<Record<Placeholder, string | number | undefined>>;

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What placeholders stand for on a page. `cursor` is undefined on the first one. */
export function valuesOf(
  api: Pick<ApiDescription, 'types' | 'page'>,
  unit: { readonly type: string; readonly day: string },
  limit: number,
  cursor: string | undefined,
): Values {
  const startMs = dayStartMs(unit.day);
  const next = addDays(unit.day, 1);
  const endMs = dayStartMs(next);
  const counts = api.page.by === 'offset' || api.page.by === 'page';
  return {
    type: api.types[unit.type] ?? unit.type,
    day: unit.day,
    next_day: next,
    start: `${unit.day}T00:00:00Z`,
    end: `${next}T00:00:00Z`,
    start_unix: startMs / 1_000,
    end_unix: endMs / 1_000,
    last_unix: endMs / 1_000 - 1,
    limit,
    cursor: cursor === undefined ? undefined : counts ? Number(cursor) : cursor,
  };
}

/** A text with its placeholders replaced; undefined when one of them has no value. */
export function fillText(
  template: string,
  values: Values,
  encode: (text: string) => string = (text) => text,
): string | undefined {
  let missing = false;
  const text = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    if (!isPlaceholder(name)) return whole;
    const value = values[name];
    if (value === undefined) missing = true;
    return encode(String(value));
  });
  return missing ? undefined : text;
}

/** A JSON template filled. Entries whose placeholder has no value are left out. */
export function fillJson(template: Json, values: Values): Json | undefined {
  if (typeof template === 'string') {
    const alone = /^\{(\w+)\}$/.exec(template)?.[1];
    return alone !== undefined && isPlaceholder(alone) ? values[alone] : fillText(template, values);
  }
  if (template === null || typeof template !== 'object') return template;
  if (isList(template)) {
    return template.flatMap((each) => {
      const filled = fillJson(each, values);
      return filled === undefined ? [] : [filled];
    });
  }
  const entries = Object.entries(template).flatMap(([key, each]): [string, Json][] => {
    const filled = fillJson(each, values);
    return filled === undefined ? [] : [[key, filled]];
  });
  return Object.fromEntries(entries);
}

/** Every `{name}` in a template that is no placeholder. */
export function strangePlaceholders(template: Json | undefined): string[] {
  if (typeof template === 'string')
    return [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).filter((n) => !isPlaceholder(n));
  if (template === null || typeof template !== 'object') return [];
  return Object.values(template).flatMap((each) => strangePlaceholders(each));
}

function isPlaceholder(name: string): name is Placeholder {
  return Object.hasOwn(PLACEHOLDERS, name);
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
