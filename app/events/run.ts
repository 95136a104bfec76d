// A run of `ferry events`: lists what is sealed, chooses what to pull, works on several units at once, and says how it ended.
import { hash } from 'node:crypto';
import type { Claims } from '../core/claim.ts';
import type { Clock } from '../core/clock.ts';
import { EXIT, type ExitName, FerryError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createRetrier, createRetryBudget } from '../core/retry.ts';
import { formatDuration } from '../core/units.ts';
import { type ApiClient, openApiClient } from './api/client.ts';
import { transientApiError } from './api/errors.ts';
import { addDays, dayOf, daysFrom } from './days.ts';
import { type Destinations, openDestinations } from './destinations.ts';
import { type Failure, failureOf, noteFailure, worstExit } from './failures.ts';
import { createLines } from './lines.ts';
import { createPace } from './pace.ts';
import { createSecret, readKey, type Secret } from './secret.ts';
import type { EventsSettings } from './settings/read.ts';
import { moveUnit, type UnitDone, type UnitPorts } from './unit.ts';
import {
  chooseTasks,
  claimsOf,
  isOpenSeal,
  scanUnits,
  setOf,
  type Task,
  type Unit,
  unitName,
} from './units.ts';

/** What a run works with, opened once. */
export interface Workshop {
  readonly settings: EventsSettings;
  readonly destinations: Destinations;
  readonly client: ApiClient;
  readonly ports: UnitPorts;
  readonly clock: Clock;
  readonly log: Log;
  readonly key: Secret;
  readonly signal: AbortSignal;
  readonly counts: Counts;
  close(): Promise<void>;
}

/** For progress, metrics and the last line; grows as the run goes. */
export interface Counts {
  records: number;
  duplicates: number;
  pages: number;
  retries: number;
  /** Type-days of this run; undefined until they are chosen. */
  planned: number | undefined;
  lastPageAtMs: number | undefined;
  readonly outcomes: Map<UnitDone['outcome'], number>;
  readonly failures: Map<ExitName, number>;
  readonly parallel: () => number;
  readonly inFlight: () => number;
}

export interface WorkshopOptions {
  readonly settings: EventsSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly random?: () => number;
}

/** @throws FerryError `config` when the key, the bucket or the folder cannot be used */
export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { settings, clock, log, signal, env } = options;
  const { api } = settings;
  const key = keyOf(settings, env);
  const { random } = options;
  const limit = settings.read_batch_size;
  const client = await openApiClient({
    url: settings.url,
    headers: settings.headers,
    api,
    key,
    limit,
    clock,
    env,
  });
  const destinations = await openDestinations(options);
  const pace = createPace({
    ...{ clock, concurrency: api.concurrency, perSecond: api.per_second },
    ...(random === undefined ? {} : { random }),
  });
  const counts: Counts = {
    ...{ records: 0, duplicates: 0, pages: 0, retries: 0, planned: undefined, lastPageAtMs: undefined },
    ...{ outcomes: new Map(), failures: new Map() },
    ...{ parallel: () => pace.limit, inFlight: () => pace.inFlight },
  };
  const policy = {
    baseMs: settings.retry_time_delta,
    capMs: Math.max(60_000, settings.retry_time_delta),
    deadlineMs: settings.retry_deadline,
    retries: settings.retry_sla,
  };
  const pulledOf = new Map<string, { readonly records: number; readonly duplicates: number }>();
  const ports: UnitPorts = {
    ...{ stores: destinations.stores, clock, log, logLevel: settings.log_level, key },
    lines: createLines(api.id, settings.flatten),
    page(unit, cursor, unitLog) {
      const retry = createRetrier({
        ...{ clock, policy, judge: transientApiError, budget: createRetryBudget(Number.POSITIVE_INFINITY) },
        ...(random === undefined ? {} : { random }),
        onRetry(error, waitMs) {
          counts.retries += 1;
          unitLog.warn(`${unitName(unit)} is tried again in ${formatDuration(waitMs)}`, { error });
        },
      });
      return retry(() => pace.run(() => client.page(unit, cursor, signal), signal), signal);
    },
    state: settings.state,
    fingerprint: hash('sha256', JSON.stringify([settings.url, api, limit, settings.flatten ?? null])),
    partRecords: settings.write_batch_size,
    partBytes: settings.write_batch_bytes,
    onPage(unit, pulled) {
      // A day that is pulled once more counts once more; its own count starts at 0 again.
      const before = pulledOf.get(unitName(unit));
      const since = before !== undefined && pulled.records >= before.records ? before : undefined;
      counts.records += pulled.records - (since?.records ?? 0);
      counts.duplicates += Math.max(0, pulled.duplicates - (since?.duplicates ?? 0));
      counts.pages += 1;
      counts.lastPageAtMs = clock.now();
      pulledOf.set(unitName(unit), pulled);
    },
  };
  return {
    ...{ settings, destinations, client, ports, clock, log, key, signal, counts },
    async close() {
      await client.close();
      await destinations.close();
    },
  };
}

/** An API without keys needs none. */
export function keyOf(settings: EventsSettings, env: Readonly<Record<string, string | undefined>>): Secret {
  return settings.api.auth === 'none' ? createSecret('') : readKey(settings.key_variable, env);
}

/** What whoever started the run asked for. */
export interface Wanted {
  readonly day?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly today?: boolean;
}

/** The types asked for. @throws FerryError `config` for one that the settings do not name */
export function wantedTypes(
  settings: EventsSettings,
  types: readonly string[] | undefined,
): readonly string[] {
  for (const type of types ?? [])
    if (!settings.events.includes(type))
      throw new FerryError(
        'config',
        `The settings know no event type ${JSON.stringify(type)}.`,
        `They name ${settings.events.join(', ')}; add it to events.`,
      );
  return types ?? settings.events;
}

/** The days asked for, oldest first; without any the last closed ones. */
export function wantedDays(settings: EventsSettings, wanted: Wanted, nowMs: number): readonly string[] {
  const today = dayOf(nowMs);
  const yesterday = addDays(today, -1);
  if (wanted.day !== undefined) return [wanted.day];
  const first = wanted.from ?? addDays(today, -settings.lookback);
  const days = daysFrom(first, wanted.to ?? (first > yesterday ? first : yesterday));
  return wanted.today === true && !days.includes(today) ? [...days, today] : days;
}

/** Lists the stores and chooses. Rejects with the stores' errors. */
export async function chooseWork(shop: Workshop, wanted: Wanted): Promise<Task[]> {
  const { settings, clock, destinations } = shop;
  const nowMs = clock.now();
  const types = wantedTypes(settings, wanted.types);
  const days = wantedDays(settings, wanted, nowMs);
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return [];
  const states = await scanUnits(destinations.stores, types, first, last);
  const named = wanted.day !== undefined || wanted.from !== undefined;
  // Who names today means it.
  const today = wanted.today === true || (named && days.includes(dayOf(nowMs)));
  const { late_days: lateDays } = settings;
  const storeCount = destinations.stores.length;
  return chooseTasks({ nowMs, types, days, named, lateDays, today, storeCount }, states);
}

export interface Ending {
  readonly exit: ExitName;
  readonly done: readonly UnitDone[];
  readonly failed: readonly (Unit & Failure)[];
  /** Units that were not finished because the run was stopped. */
  readonly stopped: number;
}

/** How a unit that another worker holds is looked at again. */
export interface Sharing {
  readonly claims: Claims;
  readonly leaseMs: number;
}

/** Between two looks at units that others hold; doubled up to the second one. */
const LOOK_FIRST_MS = 1_000;
const LOOK_MAX_MS = 30_000;

/** Works through the tasks; one that fails never keeps another from its turn. */
export async function workThrough(
  shop: Workshop,
  tasks: readonly Task[],
  parallel: number,
  options: { readonly sharing?: Sharing; readonly onFinished?: () => void } = {},
): Promise<Ending> {
  const { sharing } = options;
  const done: UnitDone[] = [];
  const failed: (Unit & Failure)[] = [];
  let stopped = 0;
  const { counts } = shop;
  counts.planned = tasks.length;
  const queue = [...tasks];
  const held: { task: Task; untilMs: number }[] = [];

  const work = async (task: Task): Promise<void> => {
    if (shop.signal.aborted) {
      stopped += 1;
      return;
    }
    try {
      const untilMs = await workOn(shop, task, sharing, (result) => {
        done.push(result);
        counts.outcomes.set(result.outcome, (counts.outcomes.get(result.outcome) ?? 0) + 1);
      });
      if (untilMs === undefined) options.onFinished?.();
      else held.push({ task, untilMs });
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined || shop.signal.aborted) {
        stopped += 1;
        return;
      }
      const { type, day } = task;
      options.onFinished?.();
      failed.push({ type, day, ...failure });
      counts.failures.set(failure.exit, (counts.failures.get(failure.exit) ?? 0) + 1);
      tellFailure(shop.log, task, failure, error);
      // A store that refuses one day refuses them all: what is pulled for it has nowhere to go.
      if (failure.exit === 'store') stopped += queue.splice(0).length;
      await noteFailure(shop.destinations.stores, { type, day }, failure, {
        nowMs: shop.clock.now(),
        ...{ key: shop.key, log: shop.log },
      });
    }
  };
  const worker = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await work(task);
  };
  const runAll = () => Promise.all(Array.from({ length: Math.min(parallel, queue.length) }, worker));
  await runAll();
  // What others hold is looked at again: they finish it, or they die and their claims end.
  for (let lookMs = LOOK_FIRST_MS; held.length > 0 && !shop.signal.aborted; lookMs *= 2) {
    const untilMs = Math.min(...held.map((each) => each.untilMs));
    const waitMs = Math.min(untilMs - shop.clock.now(), lookMs, LOOK_MAX_MS);
    await shop.clock.sleep(Math.max(1, waitMs), shop.signal);
    queue.push(...held.splice(0).map((each) => each.task));
    await runAll();
  }
  stopped += held.length;
  const exits = failed.map(({ exit }) => exit);
  const exit = exits.length === 0 && stopped > 0 ? 'transient' : worstExit(exits);
  return { exit, done, failed, stopped };
}

/** Answers until when somebody else holds the unit; undefined when it was worked on, or is sealed by now. */
async function workOn(
  shop: Workshop,
  task: Task,
  sharing: Sharing | undefined,
  finished: (result: UnitDone) => void,
): Promise<number | undefined> {
  if (sharing === undefined) {
    finished(await moveUnit(shop.ports, task));
    return undefined;
  }
  const answer = await sharing.claims.take(claimsOf(task));
  if ('heldUntilMs' in answer) {
    if (await isSealed(shop, task)) return undefined;
    return answer.heldUntilMs;
  }
  const { claim } = answer;
  let renewedMs = shop.clock.now();
  const onPage: UnitPorts['onPage'] = (unit, pulled) => {
    shop.ports.onPage?.(unit, pulled);
    if (shop.clock.now() - renewedMs < sharing.leaseMs / 3) return;
    renewedMs = shop.clock.now();
    claim
      .renew()
      .catch((error: unknown) => shop.log.warn(`the claim on ${unitName(task)} is not renewed`, { error }));
  };
  try {
    // It may have been sealed since this worker listed.
    const again = await freshTask(shop, task);
    if (again !== undefined) finished(await moveUnit({ ...shop.ports, onPage }, again));
  } finally {
    await claim.release();
  }
  return undefined;
}

async function freshTask(shop: Workshop, task: Task): Promise<Task | undefined> {
  const { type, day, reason } = task;
  const states = await scanUnits(shop.destinations.stores, [type], day, day);
  const stored = states.get(unitName(task)) ?? task.stored;
  if (reason === 'missing' && stored.every(({ sealed }) => sealed && !isOpenSeal(sealed))) return undefined;
  return { ...task, stored };
}

async function isSealed(shop: Workshop, task: Task): Promise<boolean> {
  return task.reason === 'missing' && (await freshTask(shop, task)) === undefined;
}

function tellFailure(log: Log, task: Task, failure: Failure, error: unknown): void {
  const { curl, reason } = failure;
  const fields = { set: setOf(task), reason, ...(curl === '' ? {} : { request: curl }) };
  const isDefect = EXIT[failure.exit] === EXIT.internal && error instanceof Error;
  log.error(
    `${unitName(task)} failed: ${failure.message}`,
    isDefect ? { ...fields, stack: error.stack } : fields,
  );
}
