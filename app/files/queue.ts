// Who goes next: fresh files never wait behind an old backlog, and the backlog never stands still.

import { arrivedMs } from './settle.ts';
import type { FoundFile } from './walk.ts';

export type Lane = 'fresh' | 'backlog';

export interface SendQueue {
  /** False when the lane is full or the file is waiting or in flight already. */
  offer(file: FoundFile, lane: Lane): boolean;
  /** The next file, now in flight until `done`. */
  take(): FoundFile | undefined;
  /** Looks without taking. */
  peek(): FoundFile | undefined;
  /** Puts any one of the waiting files first and answers it. */
  anyToFront(): FoundFile | undefined;
  done(file: FoundFile): void;
  has(path: string): boolean;
  /** All that wait or are in flight, in no order. */
  files(): Iterable<FoundFile>;
  room(lane: Lane): number;
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Drops the backlog and turns the fresh lane newest first: for a stop, when time is short. */
  newestFirst(): void;
}

/** Out of so many picks one is the backlog's while fresh files wait. */
const BACKLOG_TURN = 4;

export function createQueue(
  capacity: Readonly<Record<Lane, number>> = { fresh: 8_192, backlog: 512 },
  random: () => number = Math.random,
): SendQueue {
  const lanes: Record<Lane, { files: FoundFile[]; head: number }> = {
    fresh: { files: [], head: 0 },
    backlog: { files: [], head: 0 },
  };
  const known = new Map<string, FoundFile>();
  let waitingBytes = 0;
  let picks = 0;
  const lengthOf = (lane: Lane): number => lanes[lane].files.length - lanes[lane].head;
  const nextLane = (): Lane => {
    if (lengthOf('backlog') === 0) return 'fresh';
    return lengthOf('fresh') === 0 || (picks + 1) % BACKLOG_TURN === 0 ? 'backlog' : 'fresh';
  };
  return {
    offer(file, lane) {
      if (known.has(file.path) || lengthOf(lane) >= capacity[lane]) return false;
      known.set(file.path, file);
      lanes[lane].files.push(file);
      waitingBytes += file.stat.size;
      return true;
    },
    take() {
      const lane = lanes[nextLane()];
      const file = lane.files[lane.head];
      if (file === undefined) return undefined;
      picks += 1;
      lane.head += 1;
      if (lane.head === lane.files.length || lane.head > 1_024) {
        lane.files = lane.files.slice(lane.head);
        lane.head = 0;
      }
      waitingBytes -= file.stat.size;
      return file;
    },
    peek() {
      const lane = lanes[nextLane()];
      return lane.files[lane.head];
    },
    anyToFront() {
      const lane = lanes[nextLane()];
      const other = lane.head + Math.floor(random() * (lane.files.length - lane.head));
      const [first, chosen] = [lane.files[lane.head], lane.files[other]];
      if (first === undefined || chosen === undefined) return undefined;
      lane.files[lane.head] = chosen;
      lane.files[other] = first;
      return chosen;
    },
    done: (file) => void known.delete(file.path),
    has: (path) => known.has(path),
    files: () => known.values(),
    room: (lane) => capacity[lane] - lengthOf(lane),
    get waiting() {
      return lengthOf('fresh') + lengthOf('backlog');
    },
    get waitingBytes() {
      return waitingBytes;
    },
    newestFirst() {
      const files = [
        ...lanes.fresh.files.slice(lanes.fresh.head),
        ...lanes.backlog.files.slice(lanes.backlog.head),
      ];
      files.sort((a, b) => arrivedMs(b.stat) - arrivedMs(a.stat));
      lanes.fresh = { files, head: 0 };
      lanes.backlog = { files: [], head: 0 };
    },
  };
}
