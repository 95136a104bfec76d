// Nested records as flat ones, for tables: `{"card":{"brand":"x"}}` becomes `{"card.brand":"x"}`, and back.

export interface FlattenOptions {
  /** Between the names. @default '.' */
  readonly separator: string;
  /** Levels that are joined; deeper ones stay nested. Infinity joins all. */
  readonly depth: number;
  /** `keep`: lists stay lists. `index`: `tags.0`, `tags.1`. */
  readonly arrays: 'keep' | 'index';
}

/** Two fields of a record would get the same flat name, or a flat one could not be told from a nested one. */
export class FlattenCollision extends Error {}

type Fields = Record<string, unknown>;

/** Throws FlattenCollision. Empty objects and lists stay as they are: they have no names to join. */
export function flatten(record: object, options: FlattenOptions): Fields {
  const flat: Fields = {};
  const walk = (value: object, above: readonly string[]): void => {
    for (const [name, inner] of Object.entries(value)) {
      const names = [...above, name];
      const key = names.join(options.separator);
      if (isNested(inner, options) && names.length < options.depth) {
        walk(inner, names);
        continue;
      }
      refuseAmbiguous(key, names, options);
      define(flat, key, inner);
    }
    if (Array.isArray(value) || above.length === 0 || options.arrays === 'keep') return;
    if (Object.keys(value).some((name) => /^\d+$/.test(name)))
      throw new FlattenCollision(
        `the fields of "${above.join(options.separator)}" look like entries of a list`,
      );
  };
  walk(record, []);
  return flat;
}

/** What `flatten` was given, for any record it takes. */
export function unflatten(flat: object, options: FlattenOptions): Fields {
  const root: Fields = {};
  if (options.depth <= 1) return { ...flat };
  for (const [key, value] of Object.entries(flat)) {
    const names = key.split(options.separator);
    let here = root;
    for (const name of names.slice(0, -1)) {
      if (!Object.hasOwn(here, name)) define(here, name, {});
      here = here[name] as Fields; // made here, by this loop
    }
    define(here, names.at(-1) ?? '', value);
  }
  return options.arrays === 'index' ? (withLists(root, 1, options.depth) as Fields) : root; // root is no list: it is an object's
}

/** Also for a name like __proto__. */
function define(into: Fields, name: string, value: unknown): void {
  Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
}

function isNested(value: unknown, { arrays }: FlattenOptions): value is object {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return arrays === 'index' && value.length > 0;
  // A number kept as it was written is an object without a prototype.
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length > 0;
}

/** What cannot be taken apart again into the same names. */
function refuseAmbiguous(key: string, names: readonly string[], { separator, depth }: FlattenOptions): void {
  if (depth <= 1) return;
  const apart = key.split(separator);
  if (apart.length === names.length && apart.every((name, index) => name === names[index])) return;
  throw new FlattenCollision(
    `the field "${key}" holds the separator "${separator}" in one of its names: choose another separator`,
  );
}

/** Objects whose names are 0, 1, 2, … were lists. */
function withLists(value: unknown, level: number, depth: number): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || level > depth) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => [
    name,
    withLists(inner, level + 1, depth),
  ]);
  if (level > 1 && entries.length > 0 && entries.every(([name], index) => name === String(index)))
    return entries.map(([, inner]) => inner);
  const object: Fields = {};
  for (const [name, inner] of entries) define(object, name, inner);
  return object;
}
