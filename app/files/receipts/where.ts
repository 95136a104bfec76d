// `ferry where`: what became of one file, told from the receipts after it is gone here.
import { listPage } from '../../core/listing.ts';
import type { Store, StoredObject } from '../../core/store.ts';
import type { FreedLine, ProvedLine } from './line.ts';
import { linesWithin, patientRetrier, type Span } from './read.ts';

export interface Whereabouts {
  readonly file: string;
  readonly key: string;
  readonly proved?: ProvedLine;
  readonly freed?: FreedLine;
  /** As a listing shows it now. */
  readonly object?: StoredObject;
}

/**
 * Every object that a file of this name became: by its whole path, its last part, or its key. In the order of the
 * proofs. Rejects with StoreError.
 */
export async function whereIs(
  store: Store,
  name: string,
  span: Span,
  onReceipt: (key: string) => void,
): Promise<Whereabouts[]> {
  const found = new Map<string, { file: string; key: string; proved?: ProvedLine; freed?: FreedLine }>();
  const isNamed = (path: string): boolean => path === name || path.endsWith(`/${name}`);
  for await (const line of linesWithin(store, span, onReceipt)) {
    if (!isNamed(line.file) && !isNamed(line.key)) continue;
    const id = JSON.stringify([line.file, line.key]);
    const entry = found.get(id) ?? { file: line.file, key: line.key };
    if (line.event === 'proved') entry.proved = line;
    else entry.freed = line;
    found.set(id, entry);
  }
  const retry = patientRetrier();
  const places: Whereabouts[] = [];
  for (const entry of found.values()) {
    const page = await retry(() => listPage(store, entry.key, ''));
    const object = page.objects.find(({ key }) => key === entry.key);
    places.push({ ...entry, ...(object && { object }) });
  }
  return places;
}
