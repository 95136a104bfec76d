// Weakenings: a change that makes a good object worse, and the rules that must name it, no others.

export interface Weakening {
  readonly name: string;
  readonly rules: readonly string[];
  /** Changes a copy of what is good. */
  readonly weaken: (copy: unknown) => void;
}

/** A path into plain objects and lists. */
export type Path = readonly (string | number)[];

export function set(name: string, path: Path, value: unknown, ...rules: string[]): Weakening {
  return { name: `${name}: ${JSON.stringify(value)}`, rules, weaken: (copy) => put(copy, path, value) };
}

export function drop(name: string, path: Path, ...rules: string[]): Weakening {
  return { name: `${name}: gone`, rules, weaken: (copy) => put(copy, path, undefined) };
}

/** Sets the value at a path that exists but for its last step; undefined takes it away. */
export function put(root: unknown, path: Path, value: unknown): void {
  const last = path.at(-1);
  const holder = get(root, path.slice(0, -1));
  if (last === undefined || typeof holder !== 'object' || holder === null)
    throw new Error(`There is nothing at ${path.join('/')}.`);
  if (value === undefined) {
    if (!Object.hasOwn(holder, last)) throw new Error(`There is nothing to take away at ${path.join('/')}.`);
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else Reflect.deleteProperty(holder, last);
  } else Reflect.set(holder, last, value);
}

export function get(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

export interface KillRate {
  readonly killed: number;
  readonly all: number;
  /** One sentence for each weakening that was not found, or by other rules than those that name it. */
  readonly wrong: readonly string[];
}

/** @param check names of the rules that find something */
export function killRate(
  good: unknown,
  weakenings: readonly Weakening[],
  check: (weak: unknown) => readonly string[],
): KillRate {
  const wrong = weakenings.flatMap(({ name, rules, weaken }) => {
    const copy = structuredClone(good);
    weaken(copy);
    const found = [...new Set(check(copy))].sort();
    const wanted = [...rules].sort();
    return found.join() === wanted.join()
      ? []
      : [`${name}: found by ${found.join(', ') || 'no rule'}, not by ${wanted.join(', ')}`];
  });
  return { killed: weakenings.length - wrong.length, all: weakenings.length, wrong };
}

export function shown({ killed, all }: KillRate): string {
  return `${killed} of ${all} weakenings killed, ${((100 * killed) / all).toFixed(1)} %`;
}
