// File descriptors: connections must leave some for directories, files and the ledger, or nothing moves at all.
import { readdirSync, readFileSync } from 'node:fs';

/** The ledger with its log, a file that is read, probes, and directories open one below the other in two walks. */
const RESERVED = 12;

/** How many more this process may open; undefined where the system does not say (anything but Linux). */
export function freeDescriptors(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit) - readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

/** As many connections as wanted, or as descriptors allow: at least one. */
export function affordableConnections(wanted: number, free: number | undefined): number {
  return free === undefined ? wanted : Math.max(1, Math.min(wanted, free - RESERVED));
}
