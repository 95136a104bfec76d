// A record as the line that is stored, flattened or not, and a stored line's id.
import { at, parseExactly, rawNumber } from './exact-json.ts';
import { type FlattenOptions, flatten } from './flatten.ts';

export interface Lines {
  /** Throws FlattenCollision. */
  line(record: object): string;
  idOf(line: string): string | undefined;
}

/** @param idPath where a record has its id; empty when records have none */
export function createLines(idPath: string, flattening: FlattenOptions | undefined): Lines {
  const storedPath = (record: unknown): unknown => {
    if (flattening === undefined) return at(record, idPath);
    const flatName = idPath.replaceAll('.', flattening.separator);
    const isObject = record !== null && typeof record === 'object';
    // A flat record has the whole path as one name.
    return isObject && Object.hasOwn(record, flatName) ? Reflect.get(record, flatName) : at(record, idPath);
  };
  return {
    line: (record) => JSON.stringify(flattening === undefined ? record : flatten(record, flattening)),
    idOf(line) {
      if (idPath === '') return undefined;
      return idText(storedPath(parseExactly(line)));
    },
  };
}

/** An id as a text, a number as it was written; undefined for what is no id. */
export function idText(id: unknown): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id;
  return typeof id === 'number' ? String(id) : rawNumber(id);
}
