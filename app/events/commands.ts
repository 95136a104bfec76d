// `ferry events` and its sub-commands: what each does with its flags.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createClaims } from '../core/claim.ts';
import { systemClock } from '../core/clock.ts';
import { type ExitName, errnoOf, FerryError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { stopRequest } from '../core/stop-request.ts';
import { addDays, dayOf } from './days.ts';
import { openDestinations } from './destinations.ts';
import { chooseWork, wantedDays, wantedTypes } from './run.ts';
import { SAMPLE_KEY, type SampleApi, startSampleApi } from './sample/api.ts';
import { writeDemoSettings } from './sample/demo.ts';
import type { BackfillFlags, EventsFlags, StatusFlags } from './settings/flags.ts';
import type { EventsSettings } from './settings/read.ts';
import { type Io, parallelOf, runEvents, settingsFrom } from './start.ts';
import { statusCells, statusText } from './status.ts';
import { scanUnits, type Task } from './units.ts';

/** `ferry events`: what is missing within the lookback, or the days asked for. */
export async function moveEvents(
  flags: EventsFlags,
  io: Io,
  file = settingsFrom(flags.config),
): Promise<ExitName> {
  const { day, from, to, type, today } = flags;
  return runEvents(file, io, flags, async (shop) => ({
    tasks: await chooseWork(shop, { day, from, to, types: type, today }),
    parallel: parallelOf(file, flags.parallel),
  }));
}

/** A worker that dies is waited for so long. */
const LEASE_MS = 5 * 60_000;

/** `ferry events backfill`: the plan first, then the same units, shared with other workers by claims. */
export async function backfillEvents(flags: BackfillFlags, io: Io): Promise<ExitName> {
  const settings = settingsFrom(flags.config);
  const { from, to, order } = flags;
  const types = typesOf(settings, flags);
  return runEvents(settings, io, flags, async (shop) => {
    const found = await chooseWork(shop, { from, to, types });
    const tasks = inOrder(
      found.filter(({ reason }) => reason === 'missing'),
      order,
    );
    const days = new Set(tasks.map(({ day }) => day)).size;
    const sealed = found.length - tasks.length;
    shop.log.info(
      `backfill of ${from} to ${to}: ${tasks.length} type-days on ${days} days, ${sealed} sealed already`,
      {
        ...{ types: types.join(','), order, worker: `${hostname()}/${process.pid}` },
      },
    );
    const { clock, signal } = shop;
    const [ports] = shop.destinations.stores;
    const sharing = ports && {
      leaseMs: LEASE_MS,
      claims: createClaims({ ...ports, clock, signal }, LEASE_MS),
    };
    return { tasks, parallel: parallelOf(settings, flags.parallel), ...(sharing ? { sharing } : {}) };
  });
}

function typesOf(settings: EventsSettings, { types, typeIndex }: BackfillFlags): readonly string[] {
  if (typeIndex === undefined) return wantedTypes(settings, types);
  const type = settings.events[typeIndex];
  if (type !== undefined && types === undefined) return [type];
  throw new FerryError(
    'config',
    type === undefined
      ? `There is no type number ${typeIndex}: the settings name ${settings.events.length}, counted from 0.`
      : 'A type is named by its number and by its name.',
    'Mend --type-index, or use --types alone.',
  );
}

function inOrder(tasks: readonly Task[], order: 'oldest' | 'newest'): Task[] {
  return [...tasks].sort(
    (a, b) => (order === 'oldest' ? 1 : -1) * (a.day < b.day ? -1 : a.day > b.day ? 1 : 0),
  );
}

/** `ferry events status`: reads listings only; needs neither the API nor its key. */
export async function eventsStatus(flags: StatusFlags, json: boolean, io: Io): Promise<ExitName> {
  const settings = settingsFrom(flags.config);
  const types = wantedTypes(settings, flags.types);
  const clock = systemClock;
  const days = wantedDays(settings, flags, clock.now());
  const [first, last] = [days[0] ?? dayOf(clock.now()), days.at(-1) ?? addDays(dayOf(clock.now()), -1)];
  const { signal } = new AbortController();
  const destinations = await openDestinations({ settings, clock, log: silentLog, signal, env: io.env });
  try {
    const states = await scanUnits(destinations.stores, types, first, last);
    const cells = statusCells(states, types, first, last);
    const label = destinations.stores.map(({ store }) => store.label).join(' and ');
    io.stdout.write(
      json ? `${JSON.stringify({ store: label, days: cells }, null, 2)}\n` : statusText(cells, label),
    );
    return 'ok';
  } finally {
    await destinations.close();
  }
}

/** The demo's file names this port, so that `ferry events sample-api` serves it too. */
export const SAMPLE_PORT = 8_377;

/** `ferry events demo`: the bundled API, sealed days in a folder, and the matrix of them. */
export async function eventsDemo(directory: string, io: Io): Promise<ExitName> {
  const api = await startOnFreePort();
  try {
    const config = writeDemoSettings(directory, `http://127.0.0.1:${SAMPLE_PORT}/events`);
    const file = { ...settingsFrom(config), url: api.url };
    const nothing = { day: undefined, from: undefined, to: undefined, type: undefined };
    const how = { parallel: undefined, listen: undefined, today: false, dryRun: false };
    const flags = { ...nothing, ...how, config };
    const exit = await moveEvents(
      flags,
      { ...io, env: { ...io.env, [file.key_variable]: SAMPLE_KEY } },
      file,
    );
    io.stdout.write('\n');
    await eventsStatus({ config, from: undefined, to: undefined, types: undefined }, false, io);
    io.stdout.write(
      `\nThe settings are in ${config}, the data is in ${file.local_path}. Run it again: only what is missing or may have\n` +
        `changed is pulled. Look at a day:\n` +
        `  zcat ${join(file.local_path, 'type=charge')}/day=*/part-00000.ndjson.gz | head -3\n`,
    );
    return exit;
  } finally {
    await api.close();
  }
}

async function startOnFreePort(): Promise<SampleApi> {
  try {
    return await startSampleApi(() => systemClock.now(), SAMPLE_PORT);
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
    return startSampleApi(() => systemClock.now());
  }
}

/** `ferry events sample-api`: serves it until Ctrl-C. */
export async function serveSampleApi(
  { port, host }: { readonly port: number; readonly host: string },
  io: Io,
): Promise<ExitName> {
  const api = await startSampleApi(() => systemClock.now(), port, host).catch((error: unknown) => {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
    throw new FerryError('config', `The port ${port} is taken.`, 'Choose another one with --port.', {
      cause: error,
    });
  });
  const stop = stopRequest(undefined, systemClock);
  io.stdout.write(`The sample API answers at ${api.url}; its key is ${SAMPLE_KEY}. Ctrl-C ends it.\n`);
  await stop.requested;
  stop.done();
  await api.close();
  return 'ok';
}
