// Both sides of a site in a cluster: what the writer noted, what is still on the volume, what is in the bucket; and
// whether each file is where it must be. Nothing of it is taken from what Ferry remembers.
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { until } from '../support/temp.ts';
import { startKubectl } from './kubectl.ts';
import { nodeIsHere, type Site } from './site.ts';

export const NOTES = '/var/ferry-notes/written.jsonl';
export const DATA = '/var/file-writer/data';

/** A file as the writer noted it. */
export interface Written {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface Stored {
  readonly key: string;
  readonly sha256: string;
}

const NOTES_SCRIPT = `process.stdout.write(require('node:fs').readFileSync('${NOTES}'))`;
const LOCAL_SCRIPT = `
const { readdirSync, readFileSync } = require('node:fs');
const { createHash } = require('node:crypto');
for (const entry of readdirSync('${DATA}', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = (entry.parentPath + '/' + entry.name).slice(${DATA.length + 1});
  try {
    const sha256 = createHash('sha256').update(readFileSync('${DATA}/' + path)).digest('hex');
    process.stdout.write(JSON.stringify({ path, sha256 }) + '\\n');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}`;
const GETS_AT_ONCE = 32;

/** Files whose note is complete, in the order in which they were completed. */
export async function writtenBy(site: Site): Promise<Written[]> {
  return linesOf<Written>(await site.node('writer', NOTES_SCRIPT));
}

/** Paths and content of what is on the volume now. */
export async function localFiles(site: Site): Promise<Map<string, string>> {
  const files = linesOf<{ path: string; sha256: string }>(await site.node('writer', LOCAL_SCRIPT));
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}

/** JSON lines of one shape; what a kill cut off is left out. */
export function linesOf<T>(text: string): T[] {
  const end = text.lastIndexOf('\n');
  return text
    .slice(0, Math.max(0, end))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
}

/** Every object, read in full: from the server's own address where it can be reached, else through a forwarded port. */
export async function storedObjects(t: Pick<TestContext, 'after'>, site: Site): Promise<Stored[]> {
  if (await nodeIsHere()) {
    const address = await site.kubectl('get', 'service', 'ferry-s3', '-o', 'jsonpath={.spec.clusterIP}');
    return readAll(site, `http://${address}:7070`);
  }
  const forward = startKubectl(t, ['-n', site.namespace, 'port-forward', 'service/ferry-s3', ':7070']);
  const port = () => /127\.0\.0\.1:(\d+)/.exec(forward.output())?.[1];
  await until(() => port() !== undefined, 'the port is forwarded', 120_000);
  try {
    return await readAll(site, `http://127.0.0.1:${port()}`);
  } finally {
    await forward.stop();
  }
}

async function readAll(site: Site, endpoint: string): Promise<Stored[]> {
  const key = (name: string) => site.kubectl('get', 'secret', 'ferry-s3', '-o', `jsonpath={.data.${name}}`);
  const [id, secret] = await Promise.all(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map(key));
  const plain = (base64 = '') => Buffer.from(base64, 'base64').toString();
  const credentials = { accessKeyId: plain(id), secretAccessKey: plain(secret) };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  try {
    return await readBucket(client, site.bucket);
  } finally {
    client.destroy();
  }
}

async function readBucket(client: S3Client, Bucket: string): Promise<Stored[]> {
  const keys: string[] = [];
  let after: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, StartAfter: after }));
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    after = page.IsTruncated ? keys.at(-1) : undefined;
  } while (after !== undefined);
  const stored: Stored[] = [];
  const work = keys.values();
  const read = async (): Promise<void> => {
    for (const key of work) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      stored.push({ key, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
  };
  await Promise.all(Array.from({ length: GETS_AT_ONCE }, read));
  return stored;
}

export interface Judgement {
  /** Written and neither in the bucket nor on the volume with their content. */
  readonly lost: string[];
  /** In the bucket more than once. */
  readonly twice: string[];
  /** Keys in the bucket whose content no written file has. */
  readonly foreign: string[];
  /** Written and in the bucket. */
  readonly stored: number;
}

/** `local` must have been looked at after the notes and before the bucket: a file that moves meanwhile is seen twice. */
export function judge(
  written: readonly Written[],
  local: ReadonlyMap<string, string>,
  objects: readonly Stored[],
): Judgement {
  const byPath = new Map(written.map((file) => [file.path, file]));
  const copies = new Map<string, number>();
  const foreign: string[] = [];
  for (const { key, sha256 } of objects) {
    const path = pathOf(key);
    // Noted after the notes were read, or still being written when they were.
    const file = byPath.get(path);
    if (file === undefined) continue;
    if (file.sha256 === sha256) copies.set(path, (copies.get(path) ?? 0) + 1);
    else foreign.push(key);
  }
  return {
    lost: written
      .filter(({ path, sha256 }) => !copies.has(path) && local.get(path) !== sha256)
      .map(({ path }) => path),
    twice: [...copies].filter(([, count]) => count > 1).map(([path]) => path),
    foreign,
    stored: copies.size,
  };
}

/** `minikube/dt=…/hh=…/start-x/000/x-1.dat` -> `start-x/000/x-1.dat`, also of a key that avoids another. */
function pathOf(key: string): string {
  return key.replace(/^.*?\/hh=\d\d\//, '').replace(/~[0-9a-f]{32}(-\d+)?$/, '');
}
