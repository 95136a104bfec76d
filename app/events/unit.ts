// One type and day from the API to its seals: looked at first where it is sealed already, pulled where anything is to be
// written, sealed in every store that lacks this content.
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Log, LogLevel } from '../core/log.ts';
import type { StorePorts } from '../core/put-once.ts';
import { putMember, readSeal, seal } from '../core/seal.ts';
import type { Page } from './api/answer.ts';
import { ApiError } from './api/errors.ts';
import { dayOf } from './days.ts';
import type { Lines } from './lines.ts';
import { type Pulled, pullDay } from './pull.ts';
import { createUnitLog, type UnitLog } from './run-log.ts';
import type { Secret } from './secret.ts';
import { openSpool, type Spool } from './spool.ts';
import { type Changes, countChanges, createTraceTable, readSealedTraces, readTraces } from './traces.ts';
import {
  isOpenSeal,
  NOTHING_STORED,
  type StoredUnit,
  setOf,
  type Task,
  type Unit,
  unitName,
} from './units.ts';

export interface UnitPorts {
  readonly stores: readonly StorePorts[];
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: LogLevel;
  readonly key: Secret;
  readonly lines: Lines;
  /** Asks for a page with retries, at the run's pace. */
  readonly page: (unit: Unit, cursor: string | undefined, log: Log) => Promise<Page>;
  /** Directory for what was pulled and not yet sealed. */
  readonly state: string;
  /** What must be equal for an earlier try's pages to be of use. */
  readonly fingerprint: string;
  readonly partRecords: number;
  readonly partBytes: number;
  readonly onPage?:
    | ((unit: Unit, pulled: { readonly records: number; readonly duplicates: number }) => void)
    | undefined;
}

export interface UnitDone extends Unit {
  /**
   * `sealed`: its first seal. `revised`: another revision. `unchanged`: what is sealed is what there is. `outrun`:
   * another worker sealed it meanwhile. `unknown`: sealed, and this role cannot tell with what.
   */
  readonly outcome: 'sealed' | 'revised' | 'unchanged' | 'outrun' | 'unknown';
  readonly records: number;
  readonly duplicates: number;
  readonly revision: number;
  readonly changes: Changes | undefined;
}

/** A cursor that expires again and again leads nowhere. */
const STARTS_MAX = 3;

/** Rejects with ApiError, StoreError, or what the spool's disk says. */
export async function moveUnit(ports: UnitPorts, task: Task): Promise<UnitDone> {
  const unitLog = createUnitLog(ports.log, ports.logLevel, ports.key);
  const { log } = unitLog;
  const isOpen = dayOf(ports.clock.now()) === task.day;
  const stored = await withFacts(ports, task);
  const known = stored.map(({ sealed }) => sealed?.facts?.content);
  const latest = Math.max(0, ...stored.map(({ sealed }) => sealed?.revision ?? 0));
  const isSealedWhole = stored.every(({ sealed }) => sealed !== undefined && isOpenSeal(sealed) === isOpen);
  const nothing = { ...unitOf(task), records: 0, duplicates: 0, revision: latest, changes: undefined };
  if (isSealedWhole && known.some((content) => content === undefined)) {
    log.warn(
      `${unitName(task)} is sealed, and this role cannot tell with what: allow reading to see late changes`,
    );
    return { ...nothing, outcome: 'unknown' };
  }
  // Where a store lacks the day it is sealed there; where it has it, only other content is worth writing.
  let targets = stored.flatMap((before, index) =>
    before.sealed !== undefined && isOpenSeal(before.sealed) === isOpen ? [] : [{ before, index }],
  );
  if (isSealedWhole) {
    const seen = await pullFromStart(ports, task, 'look', [], unitLog);
    const { records, duplicates, contentSum } = seen.pulled;
    seen.spool.drop();
    if (known.every((content) => content === contentSum)) {
      log.debug(`${unitName(task)} has not changed`, { records });
      return { ...nothing, outcome: 'unchanged', records, duplicates };
    }
    targets = stored.flatMap((before, index) =>
      before.sealed?.facts?.content === contentSum ? [] : [{ before, index }],
    );
  }
  const stores = targets.flatMap(({ index }) => ports.stores[index] ?? []);
  const { pulled, spool } = await pullFromStart(ports, task, 'write', stores, unitLog);
  const { records, pages, duplicates, bytes } = pulled;
  unitLog.note(`${unitName(task)} is pulled`, { records, pages, duplicates, bytes });
  const logBody = unitLog.compressed();
  const outcomes: UnitDone[] = [];
  for (const [index, store] of stores.entries()) {
    const before = targets[index]?.before ?? NOTHING_STORED;
    outcomes.push(await sealIn(ports, task, { store, before, index, pulled, spool, isOpen, logBody }));
  }
  spool.drop();
  // The stores are equal as a rule; what was done to any of them is what was done.
  const [first] = outcomes.sort((a, b) => WEIGHT.indexOf(a.outcome) - WEIGHT.indexOf(b.outcome));
  return first ?? { ...nothing, outcome: 'unchanged' };
}

const WEIGHT: readonly UnitDone['outcome'][] = ['revised', 'sealed', 'outrun', 'unchanged', 'unknown'];

function unitOf({ type, day }: Unit): Unit {
  return { type, day };
}

/** What is sealed, with its facts read from the seal where a listing cannot tell them and the role may read. */
function withFacts(ports: UnitPorts, task: Task): Promise<StoredUnit[]> {
  const each = task.stored.map(async (stored, index): Promise<StoredUnit> => {
    const { sealed } = stored;
    const store = ports.stores[index];
    if (sealed === undefined || sealed.facts !== undefined || !store?.store.mayRead) return stored;
    const { facts } = await store.retry(
      () => readSeal(store.store, sealed.seal.key, store.signal),
      store.signal,
    );
    return { ...stored, sealed: { ...sealed, facts } };
  });
  return Promise.all(each);
}

/** Pulls the day, from the first page again where its cursor has expired. */
async function pullFromStart(
  ports: UnitPorts,
  task: Task,
  mode: 'look' | 'write',
  stores: readonly StorePorts[],
  { log }: UnitLog,
): Promise<{ pulled: Pulled; spool: Spool }> {
  const fingerprint = hash(
    'sha256',
    JSON.stringify([
      // What was pulled while the day went on is no whole day.
      ...[ports.fingerprint, mode, dayOf(ports.clock.now()) === task.day],
      ...[ports.partRecords, ports.partBytes, stores.map(({ store }) => store.label)],
    ]),
  );
  for (let start = 1; ; start += 1) {
    const spool = openSpool(join(ports.state, task.type, task.day), fingerprint);
    if (spool.resumed)
      log.info(`${unitName(task)} goes on after page ${spool.resumed.progress.pages}`, {
        records: spool.resumed.progress.records,
      });
    try {
      const pulled = await pullDay({
        page: (cursor) => ports.page(unitOf(task), cursor, log),
        line: ports.lines.line,
        spool,
        stores,
        set: setOf(task),
        partRecords: ports.partRecords,
        partBytes: ports.partBytes,
        onPage: (page) => ports.onPage?.(unitOf(task), page),
      });
      return { pulled, spool };
    } catch (error) {
      if (!(error instanceof ApiError) || error.fault !== 'expired') {
        spool.close();
        throw error;
      }
      spool.drop();
      if (start === STARTS_MAX)
        throw new ApiError('data', `${error.message}: its cursor expired ${STARTS_MAX} times`, {
          status: error.status,
          curl: error.curl,
        });
      log.warn(`${unitName(task)} starts again: its cursor has expired`, { error });
    }
  }
}

interface SealInput {
  readonly store: StorePorts;
  readonly before: StoredUnit;
  readonly index: number;
  readonly pulled: Pulled;
  readonly spool: Spool;
  readonly isOpen: boolean;
  readonly logBody: Buffer;
}

async function sealIn(ports: UnitPorts, task: Task, input: SealInput): Promise<UnitDone> {
  const { store, before, pulled, isOpen, logBody } = input;
  const { records, duplicates, contentSum } = pulled;
  const { sealed } = before;
  const done = { ...unitOf(task), records, duplicates, revision: sealed?.revision ?? 0, changes: undefined };
  if (sealed?.facts?.content === contentSum && isOpenSeal(sealed) === isOpen)
    return { ...done, outcome: 'unchanged' };
  const revision = (sealed?.revision ?? 0) + 1;
  const changes = sealed === undefined ? undefined : await changesSince(ports, task, input, sealed.seal.key);
  const members = pulled.members[input.index] ?? [];
  const set = setOf(task);
  const logObject = await putMember(store, set, logName(revision), logBody);
  const outcome = await seal(store, {
    set,
    revision,
    members,
    facts: { records: String(records), content: contentSum, ...(isOpen ? { open: 'yes' } : {}) },
    about: {
      ...unitOf(task),
      records,
      bytes: pulled.bytes,
      pages: pulled.pages,
      duplicates,
      open: isOpen,
      ...(sealed === undefined
        ? {}
        : {
            before: { revision: sealed.revision, records: Number(sealed.facts?.records) },
            changes: changes ?? null,
          }),
      log: logObject,
    },
  });
  if (outcome === 'outrun') {
    ports.log.warn(
      `${unitName(task)} was sealed by another worker meanwhile; what was pulled here is in no seal`,
    );
    return { ...done, outcome: 'outrun', revision };
  }
  ports.log.info(`${revision === 1 ? 'sealed' : `sealed revision ${revision} of`} ${unitName(task)}`, {
    records,
    ...(changes ?? {}),
  });
  return { ...done, outcome: revision === 1 ? 'sealed' : 'revised', revision, changes };
}

function logName(revision: number): string {
  return `_log-${String(revision).padStart(5, '0')}.ndjson.gz`;
}

/** Undefined for a role that may not read: then only the two counts are known. */
async function changesSince(
  ports: UnitPorts,
  task: Task,
  { store, spool }: SealInput,
  sealKey: string,
): Promise<Changes | undefined> {
  if (!store.store.mayRead) return undefined;
  const { members } = await store.retry(() => readSeal(store.store, sealKey, store.signal), store.signal);
  const before = await readSealedTraces(store.store, setOf(task), members, ports.lines.idOf, store.signal);
  const table = createTraceTable();
  for (const trace of readTraces(spool.tracesPath())) table.add(trace);
  return countChanges(before, table.sorted());
}
