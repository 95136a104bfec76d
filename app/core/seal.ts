// A set of objects (a day of events, a session) is visible only by its seal: a small object written last and only if its
// key is free, that lists every member with size and checksum.
//
//   <set>/part-00000.ndjson.gz                       members, each written once
//   <set>/_facts-00001-<md5 of the seal>,records=7   what a listing alone should tell, written before the seal
//   <set>/_seal-00001.json                           revision 1; whoever writes this key first has sealed the set
//
// - The first sealer of a revision wins. A worker that was thought dead and comes back gets `outrun`; what it wrote is
//   listed in no seal and so belongs to nothing.
// - A role that may neither read nor overwrite can do all of it: facts stand in a key, bound to their seal by its MD5.
// - Query engines ignore names that begin with `_`.
import { hash } from 'node:crypto';
import * as z from 'zod';
import { putOnce, type StorePorts } from './put-once.ts';
import { SINGLE_PUT_MAX_BYTES, type Store, type StoredObject } from './store.ts';

/** One object of a set. */
export interface Member {
  /** Below the set, e.g. `part-00000.ndjson.gz`. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Of the object's whole content, hex. */
  readonly sha256: string;
}

/** Short texts that a listing shows, e.g. `{ records: '120' }`: letters, digits, `.`, `_` and `-`. */
export type Facts = Readonly<Record<string, string>>;

export interface SealDraft {
  /** The set's own prefix; ends in `/`. */
  readonly set: string;
  /** Counts from 1. A set that changed is sealed again under the next number; the earlier seals stay. */
  readonly revision: number;
  readonly members: readonly Member[];
  readonly facts: Facts;
  /** Whatever else readers of the seal should know; JSON. */
  readonly about?: Readonly<Record<string, unknown>>;
}

/**
 * `sealed`: this call made the set visible. `same`: exactly this seal stood there already (an answer that was lost).
 * `outrun`: somebody else sealed this revision; nothing of the draft is visible.
 */
export type SealOutcome = 'sealed' | 'same' | 'outrun';

/** The latest seal of a set as its listing shows it. */
export interface Sealed {
  readonly revision: number;
  readonly seal: StoredObject;
  /** Undefined when the listing cannot tell (several candidates, and ETags that are no MD5). */
  readonly facts: Facts | undefined;
}

const FACT = /^[A-Za-z0-9._-]+$/;
const SEAL = /^_seal-(\d{5,})\.json$/;
const FACTS = /^_facts-(\d{5,})-([0-9a-f]{32})((?:,[A-Za-z0-9._-]+=[A-Za-z0-9._-]+)*)$/;

export function sealKey(set: string, revision: number): string {
  return `${set}_seal-${numbered(revision)}.json`;
}

/** The seal's bytes: the same draft gives the same bytes. */
export function encodeSeal({ set, revision, members, facts, about }: SealDraft): Buffer {
  const seal = { format: 'ferry-seal/1', set, revision, facts, members, ...(about ? { about } : {}) };
  return Buffer.from(`${JSON.stringify(seal, null, 1)}\n`);
}

/** Writes the facts, then the seal. Every member must be in the store already. Rejects with the store's errors. */
export async function seal(ports: StorePorts, draft: SealDraft): Promise<SealOutcome> {
  if (!draft.set.endsWith('/') || draft.revision < 1 || !Number.isSafeInteger(draft.revision))
    throw new RangeError(`a set ends in / and revisions count from 1: ${draft.set} ${draft.revision}`);
  const body = encodeSeal(draft);
  await putOnce(ports, factsKey(draft, hash('md5', body, 'hex')), Buffer.alloc(0));
  const standing = await putOnce(ports, sealKey(draft.set, draft.revision), body);
  if (standing === 'created') return 'sealed';
  return standing === 'same' ? 'same' : 'outrun';
}

/**
 * Puts a member under the wished key, or, where other content has that key, under one that names its own content.
 * @param wished below the set, with an extension: `part-00000.ndjson.gz`
 */
export async function putMember(
  ports: StorePorts,
  set: string,
  wished: string,
  body: Buffer,
): Promise<Member> {
  const sha256 = hash('sha256', body, 'hex');
  const member = { sizeBytes: body.length, sha256 };
  const standing = await putOnce(ports, set + wished, body);
  if (standing === 'created' || standing === 'same') return { key: wished, ...member };
  const dot = wished.indexOf('.');
  const [stem, extension] = dot < 0 ? [wished, ''] : [wished.slice(0, dot), wished.slice(dot)];
  const key = `${stem}~${sha256.slice(0, 32)}${extension}`;
  const second = await putOnce(ports, set + key, body);
  // Its name is its content's, and nothing is ever overwritten: of the right size it is what it is called.
  if (second !== 'other') return { key, ...member };
  throw new Error(`${set}${key} holds other content than its name says`);
}

/** The latest seal among a set's objects; undefined when there is none. */
export function latestSeal(
  set: string,
  objects: Iterable<StoredObject>,
  etagIsMd5: boolean,
): Sealed | undefined {
  let latest: { revision: number; seal: StoredObject } | undefined;
  const noted: { revision: number; md5: string; facts: Facts }[] = [];
  for (const object of objects) {
    if (!object.key.startsWith(`${set}_`)) continue;
    const name = object.key.slice(set.length);
    const revision = Number(SEAL.exec(name)?.[1]);
    if (revision > (latest?.revision ?? 0)) latest = { revision, seal: object };
    const note = FACTS.exec(name);
    if (note) noted.push({ revision: Number(note[1]), md5: note[2] ?? '', facts: parseFacts(note[3] ?? '') });
  }
  if (latest === undefined) return undefined;
  const { revision, seal } = latest;
  const candidates = noted.filter((note) => note.revision === revision);
  const own = candidates.filter((note) => note.md5 === seal.etag);
  // The winner's facts were there before its seal: a single candidate is the winner's.
  const [found] = own.length > 0 ? own : candidates.length === 1 && !etagIsMd5 ? candidates : [];
  return { revision, seal, facts: found?.facts };
}

const sealSchema = z.object({
  format: z.literal('ferry-seal/1'),
  set: z.string(),
  revision: z.number().int().min(1),
  facts: z.record(z.string(), z.string()),
  members: z.array(z.object({ key: z.string(), sizeBytes: z.number(), sha256: z.string() })),
  about: z.record(z.string(), z.unknown()).optional(),
});

/** A seal that was read back. */
export type ReadSeal = Readonly<z.output<typeof sealSchema>>;

/** Reads a seal; for roles that may. Rejects with the store's errors, or an Error when it is no seal. */
export async function readSeal(
  store: Pick<Store, 'get'>,
  key: string,
  signal?: AbortSignal,
): Promise<ReadSeal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await store.get(key, signal)) {
    length += chunk.length;
    if (length > 4 * SINGLE_PUT_MAX_BYTES) throw new Error(`${key} is too long for a seal`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const parsed = sealSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${key} is no seal of this version: ${parsed.error.message}`);
  return parsed.data;
}

function factsKey({ set, revision, facts }: SealDraft, md5: string): string {
  const pairs = Object.entries(facts).map(([name, value]) => {
    if (!FACT.test(name) || !FACT.test(value))
      throw new RangeError(`a fact must be short and plain: ${name}=${value}`);
    return `,${name}=${value}`;
  });
  return `${set}_facts-${numbered(revision)}-${md5}${pairs.join('')}`;
}

function parseFacts(text: string): Facts {
  const pairs = text
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    });
  return Object.fromEntries(pairs);
}

function numbered(revision: number): string {
  return String(revision).padStart(5, '0');
}
