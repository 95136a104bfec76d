// Several workers over one store, their calls interleaved as fast-check likes, each of which may die at any call: before
// it has reached the store, or after and before the answer came back.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type fc from 'fast-check';
import type { Clock } from '../../app/core/clock.ts';
import { openFolderStore } from '../../app/core/folder/store.ts';
import { listAll } from '../../app/core/listing.ts';
import { createRetrier, createRetryBudget } from '../../app/core/retry.ts';
import { openS3Store } from '../../app/core/s3/store.ts';
import type { Store, StoredObject } from '../../app/core/store.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startS3Server } from '../support/s3/server.ts';

export class Died extends Error {}

/** When a worker dies: at its call of this number, before or after the store has done it. */
export interface Death {
  readonly atCall: number;
  readonly after: boolean;
}

/** The store as this worker reaches it. */
export function mortal(store: Store, scheduler: fc.Scheduler, death: Death | undefined): Store {
  let calls = 0;
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    const mine = calls;
    await scheduler.schedule(Promise.resolve());
    if (death && (mine > death.atCall || (mine === death.atCall && !death.after))) throw new Died();
    const result = await call();
    if (death && mine === death.atCall) throw new Died();
    return result;
  };
  return {
    label: store.label,
    get etagIsMd5() {
      return store.etagIsMd5;
    },
    mayRead: store.mayRead,
    put: (...words) => through(() => store.put(...words)),
    putLarge: (...words) => through(() => store.putLarge(...words)),
    list: (...words) => through(() => store.list(...words)),
    head: (...words) => through(() => store.head(...words)),
    get: (...words) => through(() => store.get(...words)),
    close: async () => {},
  };
}

/** What the commit protocol needs, over this store. */
export function portsOf(store: Store, clock: Clock = createFakeClock({ runsAlong: true })) {
  return { store, clock, retry: createRetrier({ clock, budget: createRetryBudget() }) };
}

export async function objectsBelow(store: Store, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of listAll(store, prefix)) objects.push(object);
  return objects;
}

/** A folder and three kinds of S3: with the role that may not read, with KMS, and with one that may read under KMS. */
export const STORES = {
  'a folder': openFolder,
  'S3 by a role that cannot read': () => s3('none', false),
  'S3 with SSE-KMS by a role that cannot read': () => s3('kms', false),
  'S3 with SSE-KMS by a role that can read': () => s3('kms', true),
} as const;

export interface OpenedStore {
  readonly store: Store;
  /** What is really there, whatever the role may do. Throws when there is nothing. */
  content(key: string): Buffer;
  close(): Promise<void>;
}

export async function openFolder(): Promise<OpenedStore> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-sets-'));
  const bucket = join(directory, 'bucket');
  return {
    store: openFolderStore(bucket),
    content: (key) => readFileSync(join(bucket, key)),
    close: () => rm(directory, { recursive: true }),
  };
}

async function s3(sse: 'none' | 'kms', mayRead: boolean): Promise<OpenedStore> {
  const server = await startS3Server({ sse, ...(mayRead ? {} : { deny: ['read'] as const }) });
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const store = await openS3Store({
    ...{ bucket, prefix: 'p/', endpoint, region, pathStyle: true, credentials, mayRead, env: {} },
    sse: sse === 'kms' ? 'aws:kms' : 'none',
  });
  const close = async (): Promise<void> => {
    await server.close();
    await store.close();
  };
  const content = (key: string): Buffer => {
    const bytes = server.objects.get(`p/${key}`)?.body;
    if (!bytes) throw new Error(`${key} is not there`);
    return bytes;
  };
  return { store, content, close };
}
