// The units of work, one for each type and day: what the stores' listings say about each, and which are to be pulled.
import { listAll } from '../core/listing.ts';
import type { StorePorts } from '../core/put-once.ts';
import { latestSeal, type Sealed } from '../core/seal.ts';
import type { StoredObject } from '../core/store.ts';
import { addDays, dayOf } from './days.ts';

export interface Unit {
  readonly type: string;
  readonly day: string;
}

/** What one store knows of a unit. */
export interface StoredUnit {
  readonly sealed: Sealed | undefined;
  /** The last failed try since the last seal: when (ISO 8601) and why, in a word. */
  readonly failed: { readonly at: string; readonly reason: string } | undefined;
}

/** Everything known of a unit, a part for each store. */
export type UnitStates = ReadonlyMap<string, readonly StoredUnit[]>;

export const NOTHING_STORED: StoredUnit = { sealed: undefined, failed: undefined };

export function unitName({ type, day }: Unit): string {
  return `${type}/${day}`;
}

/** The unit's prefix in a store. */
export function setOf({ type, day }: Unit): string {
  return `type=${type}/day=${day}/`;
}

/** The unit's claims; apart from the data, so that a rule of the bucket can expire them. */
export function claimsOf(unit: Unit): string {
  return `_claims/${setOf(unit)}`;
}

const FAILED = /^_failed-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([a-z0-9-]+)\.json$/;

/** The key of a note about a failed try. @param reason small letters, digits and dashes */
export function failureKey(unit: Unit, atMs: number, reason: string): string {
  return `${setOf(unit)}_failed-${new Date(atMs).toISOString().replaceAll(/[-:.]/g, '')}-${reason}.json`;
}

/** Lists every store for these types, from the first to the last day. Rejects with the stores' errors: unknown is not absent. */
export async function scanUnits(
  stores: readonly StorePorts[],
  types: readonly string[],
  first: string,
  last: string,
): Promise<UnitStates> {
  const states = new Map<string, StoredUnit[]>();
  for (const [index, ports] of stores.entries()) {
    for (const type of types) {
      for await (const { unit, objects } of unitsOf(ports, type, first, last)) {
        const all = states.get(unitName(unit)) ?? stores.map(() => NOTHING_STORED);
        all[index] = storedUnit(unit, objects, ports.store.etagIsMd5);
        states.set(unitName(unit), all);
      }
    }
  }
  return states;
}

/** One type's days that have objects, a day in memory at a time. */
async function* unitsOf(
  { store, retry, signal }: StorePorts,
  type: string,
  first: string,
  last: string,
): AsyncGenerator<{ unit: Unit; objects: StoredObject[] }> {
  const prefix = `type=${type}/day=`;
  const list = (below: string, after: string) => retry(() => store.list(below, after, signal), signal);
  let unit: Unit | undefined;
  let objects: StoredObject[] = [];
  // The day before sorts before the first one, and everything of it would too: `0` comes after `/`.
  for await (const object of listAll({ list }, prefix, `${prefix}${addDays(first, -1)}0`, signal)) {
    const day = object.key.slice(prefix.length, prefix.length + 10);
    if (day > last) break;
    if (unit?.day !== day) {
      if (unit) yield { unit, objects };
      unit = { type, day };
      objects = [];
    }
    // Parts say nothing here, and there may be many.
    if (object.key.startsWith(`${setOf(unit)}_`)) objects.push(object);
  }
  if (unit) yield { unit, objects };
}

function storedUnit(unit: Unit, objects: readonly StoredObject[], etagIsMd5: boolean): StoredUnit {
  const set = setOf(unit);
  const failures = objects.flatMap(({ key }) => {
    const match = FAILED.exec(key.slice(set.length));
    if (!match) return [];
    const [, year, month, date, hour, minute, second, ms, reason = ''] = match;
    return [{ at: `${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`, reason }];
  });
  return { sealed: latestSeal(set, objects, etagIsMd5), failed: failures.at(-1) };
}

/** Whether a day's last seal was made before the day was over. */
export function isOpenSeal(sealed: Sealed): boolean {
  return sealed.facts?.open === 'yes';
}

/**
 * Why a unit is pulled. `missing`: a store has no seal of the whole day. `late`: sealed, and looked at again because
 * records may have changed. `asked`: sealed, and named by whoever started this run. `open`: the day is not over.
 */
export type Reason = 'missing' | 'late' | 'asked' | 'open';

export interface Task extends Unit {
  readonly reason: Reason;
  /** A part for each store, in their order. */
  readonly stored: readonly StoredUnit[];
}

export interface Choice {
  readonly nowMs: number;
  readonly types: readonly string[];
  readonly days: readonly string[];
  /** The days were named, not found by looking back. */
  readonly named: boolean;
  /** Closed days, counted from yesterday, that are looked at again though sealed. */
  readonly lateDays: number;
  /** Also today's, as an open revision. */
  readonly today: boolean;
  readonly storeCount: number;
}

/** The units to pull: what is missing first, the oldest day first, then what is only looked at again. */
export function chooseTasks(choice: Choice, states: UnitStates): Task[] {
  const today = dayOf(choice.nowMs);
  const lateFrom = addDays(today, -choice.lateDays);
  const tasks = choice.days.flatMap((day) =>
    choice.types.flatMap((type): Task[] => {
      const stored =
        states.get(unitName({ type, day })) ??
        Array.from({ length: choice.storeCount }, () => NOTHING_STORED);
      const reason = whyPull(day, stored);
      return reason === undefined ? [] : [{ type, day, reason, stored }];
    }),
  );
  return tasks.sort((a, b) => Number(a.reason !== 'missing') - Number(b.reason !== 'missing'));

  function whyPull(day: string, stored: readonly StoredUnit[]): Reason | undefined {
    if (day > today || (day === today && !choice.today)) return undefined;
    if (day === today) return 'open';
    if (stored.some(({ sealed }) => sealed === undefined || isOpenSeal(sealed))) return 'missing';
    if (choice.named) return 'asked';
    return day >= lateFrom ? 'late' : undefined;
  }
}
