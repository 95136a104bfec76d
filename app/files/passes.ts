// The passes over the source: a patrol in proportion to what it costs, which hands on what is fresh; a backlog pass at
// the sender's pace; a reconcile where nothing is remembered; a last look before a stop.
import type { Bell } from '../core/bell.ts';
import { add } from './counters.ts';
import { firstNames } from './directory.ts';
import { enqueue, type FinderPorts, findPass, type PassResult, standingOf } from './finder.ts';
import type { KeyOf } from './key.ts';
import type { Candidate } from './ledger/ledger.ts';
import { type BytePath, baseOf, parentOf, restoredName } from './paths.ts';
import type { Lane } from './queue.ts';
import { isEmpty, type ReconcilePorts, reconcile } from './reconcile.ts';
import type { Sender } from './sender.ts';
import { arrivedMs } from './settle.ts';
import type { Sightings } from './sightings.ts';
import { type FoundFile, lookAt } from './walk.ts';

export interface PassesPorts extends FinderPorts {
  readonly listing: Omit<ReconcilePorts, 'root' | 'ledger' | 'keyOf' | 'clock' | 'onSame'>;
  readonly keyOf: KeyOf;
  readonly sender: Sender;
  readonly sightings: Sightings;
  /** Share of a core for patrols. */
  readonly walkCpuShare: number;
  readonly startedAtMs: number;
  /** Stops finding. */
  readonly signal: AbortSignal;
  /** Rung when something was met that only a backlog pass may send. */
  readonly backlogBell: Bell;
  /** Rung when the backlog lane is half empty. */
  readonly roomBell: Bell;
  readonly onMoved: (path: BytePath) => void;
}

export interface Passes {
  /** `hurried`: at full speed, and what waits here is sent without a pass of its own as long as there is room for it. */
  patrol(hurried: boolean): Promise<void>;
  /** Looks at what the kernel told of since the last time. */
  hinted(): void;
  /** Sends what patrols leave behind. `only`: no patrol runs beside it. Rejects with StoreError. */
  backlog(only: boolean): Promise<PassResult>;
  /** The newest files that may go, newest first. */
  newest(signal: AbortSignal): Promise<FoundFile[]>;
}

/** Younger files go into the fresh lane as the patrol meets them; older ones are the backlog's. */
const FRESH_MS = 10 * 60_000;
const CANDIDATES_AT_ONCE = 1_000;
const NEWEST_FILES = 8_192;
/** The backlog pass goes on when so many places are free: one wake-up for a thousand files. */
export const ROOM_FILES = 256;

/** Of its share a patrol takes so much while the kernel tells of what arrives. */
const SHARE_WITH_HINTS = 0.25;

export function createPasses(ports: PassesPorts): Passes {
  const { ledger, queue, counters, clock, keyOf, sender, sightings, signal, backlogBell, roomBell } = ports;

  // Without a memory only what came after the start is surely not in the bucket already.
  const isFresh = (file: FoundFile, nowMs: number): boolean =>
    // What lay here before the start is the backlog, however young: it would make the files of this minute wait.
    arrivedMs(file.stat) >= Math.max(ports.startedAtMs, nowMs - FRESH_MS);

  // The settle loop starts it within a second: a walk that pays for its time does not pay for an upload's.
  const sendFresh = (file: FoundFile, nowMs: number): boolean =>
    isFresh(file, nowMs) && enqueue(ports, file, 'fresh');

  /** It came while hints were listened to, stood still for the settle time, and nobody watches it. */
  const isMissed = (file: FoundFile): boolean =>
    arrivedMs(file.stat) >= ports.startedAtMs &&
    !ports.settling.has(file.path) &&
    !ports.backoff.knows(file.path);

  const offerWithRoom = async (file: FoundFile, lane: Lane): Promise<boolean> => {
    if (queue.room(lane) <= 0) {
      while (queue.room(lane) < ROOM_FILES && !signal.aborted) await roomBell.wait(signal);
    }
    if (signal.aborted) return false;
    // While it waited, the other lane may have sent it.
    if (ledger.knows(file.path, file.stat)) return true;
    const taken = enqueue(ports, file, lane);
    sender.pump();
    return taken;
  };

  const backlogPass = async (only: boolean): Promise<PassResult> => {
    const start = sightings.passBegins();
    const pass = await findPass(ports, {
      cpuShare: 1,
      signal,
      forgetsGone: only,
      inOrder: true,
      onReady: (file) => (queue.room('backlog') > 0 ? offerNow(file) : offerWithRoom(file, 'backlog')),
    });
    if (only) sightings.passEnded(pass, start);
    return pass;
  };
  const offerNow = (file: FoundFile): boolean => {
    const taken = enqueue(ports, file, 'backlog');
    sender.pump();
    return taken;
  };

  const gatherCandidates = async (only: boolean): Promise<PassResult> => {
    const start = sightings.passBegins();
    const { candidates } = ledger;
    candidates.clear();
    let batch: Candidate[] = [];
    const pass = await findPass(ports, {
      cpuShare: 1,
      signal,
      forgetsGone: only,
      inOrder: true,
      onReady(file, nowMs) {
        if (sendFresh(file, nowMs)) return true;
        batch.push({ path: file.path, key: keyOf(file.path, file.stat.mtimeMs), stat: file.stat });
        if (batch.length >= CANDIDATES_AT_ONCE) {
          candidates.add(batch);
          batch = [];
        }
        return true;
      },
    });
    candidates.add(batch);
    if (only) sightings.passEnded(pass, start);
    return pass;
  };

  const reconcilePass = async (only: boolean): Promise<PassResult> => {
    ports.log.info(
      'the bucket is listed and compared with the source first: what is there is not sent again',
    );
    const pass = await gatherCandidates(only);
    const onSame = ({ path, stat }: FoundFile): void => {
      add(counters.seen, stat.size);
      add(counters.deduplicated, stat.size);
      add(counters.proved, stat.size);
      ports.onMoved(path);
    };
    const missing = reconcile({ ...ports.listing, signal, root: ports.root, ledger, keyOf, clock, onSame });
    for await (const file of missing) await offerWithRoom(file, 'backlog');
    if (!signal.aborted) {
      ledger.candidates.clear();
      ledger.reconciled = true;
    }
    return pass;
  };

  /** One path that was told of; names below a directory that is new. */
  const lookAtHint = (path: BytePath): readonly BytePath[] => {
    if (restoredName(baseOf(path)) !== undefined) return [];
    const seen = lookAt(ports.root, path);
    if (seen === 'directory') return ports.hints?.near(path) ? firstNames(ports.root, path) : [];
    if (seen === undefined) return [];
    const file = { path, stat: seen };
    const nowMs = clock.now();
    const { standing } = standingOf(ports, file, nowMs);
    if (standing === 'young' || standing === 'ready') ports.hints?.brought();
    if (standing === 'ready' && !sendFresh(file, nowMs)) backlogBell.ring();
    return [];
  };

  return {
    hinted() {
      const paths = ports.hints?.take() ?? [];
      for (let path = paths.pop(); path !== undefined && !signal.aborted; path = paths.pop()) {
        try {
          paths.push(...lookAtHint(path));
        } catch (error) {
          ports.log.debug('a hint led nowhere', { error });
        }
      }
    },
    async patrol(hurried) {
      const start = sightings.passBegins();
      const pass = await findPass(ports, {
        cpuShare: hurried ? 1 : ports.walkCpuShare * (ports.hints?.served() ? SHARE_WITH_HINTS : 1),
        signal,
        forgetsGone: true,
        inOrder: false,
        onReady(file, nowMs) {
          if (isMissed(file)) {
            ports.hints?.missed();
            ports.hints?.near(parentOf(file.path));
          }
          const taken = sendFresh(file, nowMs) || (hurried && ledger.reconciled && offerNow(file));
          if (!taken) backlogBell.ring();
          return true;
        },
      });
      if (hurried && pass.overflowed) backlogBell.ring();
      sightings.passEnded(pass, start);
    },
    async backlog(only) {
      if (!ledger.reconciled && (await isEmpty(ports.listing))) ledger.reconciled = true;
      return ledger.reconciled ? backlogPass(only) : reconcilePass(only);
    },
    async newest(lookSignal) {
      let newest: FoundFile[] = [];
      const keepNewest = (): void => {
        newest = newest.sort((a, b) => arrivedMs(b.stat) - arrivedMs(a.stat)).slice(0, NEWEST_FILES);
      };
      await findPass(ports, {
        cpuShare: 1,
        signal: lookSignal,
        forgetsGone: false,
        inOrder: false,
        onReady(file) {
          newest.push(file);
          if (newest.length >= 2 * NEWEST_FILES) keepNewest();
          return true;
        },
      });
      keepNewest();
      return newest;
    },
  };
}
