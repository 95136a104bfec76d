// The events mover as its tests run it: an API, a folder or a bucket, settings as a person writes them, a clock in the hand.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../../../app/core/clock.ts';
import { createLog, type LogLevel } from '../../../app/core/log.ts';
import { chooseWork, type Ending, openWorkshop, type Wanted, workThrough } from '../../../app/events/run.ts';
import { createSecret } from '../../../app/events/secret.ts';
import { type EventsSettings, parseEventsFile } from '../../../app/events/settings/read.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { type S3Server, type S3ServerOptions, startS3Server } from '../s3/server.ts';
import { tempDir } from '../temp.ts';
import { API_KEY, type Doc, type EventsApi, type Shape, startEventsApi } from './api.ts';

export interface EventsRig {
  readonly api: EventsApi;
  readonly directory: string;
  readonly data: string;
  readonly clock: FakeClock;
  readonly lines: string[];
  settings(more?: string): EventsSettings;
  /** One run as `ferry events` makes it; units one after the other unless told. */
  run(options?: RunOptions): Promise<Ending>;
}

export interface RunOptions {
  readonly settings?: EventsSettings;
  readonly wanted?: Wanted;
  readonly parallel?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly env?: Record<string, string>;
  readonly level?: LogLevel;
}

export async function createEventsRig(t: TestContext, shape: Shape = 'original'): Promise<EventsRig> {
  const api = await startEventsApi(t, shape);
  const directory = await tempDir(t);
  const clock = createFakeClock({ runsAlong: true, startMs: Date.UTC(2026, 10, 21, 7) });
  const lines: string[] = [];
  const settings = (more = 'events: [charge]'): EventsSettings =>
    parseEventsFile('events.yaml', `url: ${api.url}\nsave_data_locally: true\n${more}\n`, directory);
  return {
    ...{ api, directory, clock, lines, settings },
    data: join(directory, 'data'),
    async run(options = {}) {
      const used = options.settings ?? settings();
      const secret = createSecret(API_KEY);
      const shop = await openWorkshop({
        settings: used,
        clock: options.clock ?? clock,
        log: createLog({
          level: options.level ?? 'debug',
          stream: { write: (line) => lines.push(secret.mask(line)) },
        }),
        signal: options.signal ?? new AbortController().signal,
        env: { API_KEY, ...options.env },
      });
      try {
        const tasks = await chooseWork(shop, options.wanted ?? {});
        return await workThrough(shop, tasks, options.parallel ?? 1);
      } finally {
        await shop.close();
      }
    },
  };
}

export interface SealedDay {
  readonly revision: number;
  readonly docs: Doc[];
  readonly seal: {
    readonly facts: Record<string, string>;
    readonly members: readonly {
      readonly key: string;
      readonly sizeBytes: number;
      readonly sha256: string;
    }[];
    readonly about: Record<string, unknown>;
  };
}

/** What a reader of the folder sees of a day: the latest seal and the records of its members; undefined without a seal. */
export function readDay(data: string, type: string, day: string): SealedDay | undefined {
  const set = join(data, `type=${type}`, `day=${day}`);
  const names = filesBelow(set);
  const latest = names
    .filter((name) => /^_seal-\d+\.json$/.test(name))
    .sort()
    .at(-1);
  if (latest === undefined) return undefined;
  const seal = JSON.parse(readFileSync(join(set, latest), 'utf8')) as SealedDay['seal']; // the mover's own
  const docs = seal.members.flatMap(({ key }) =>
    gunzipSync(readFileSync(join(set, key)))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Doc),
  );
  return { revision: Number(/\d+/.exec(latest)?.[0]), docs, seal };
}

/** Names of all files of a directory, without those below it; none when it is not there. */
export function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

export interface BucketRig {
  readonly rig: EventsRig;
  readonly server: S3Server;
  /** Credentials of the bucket, in this process's environment too until the test ends. */
  readonly env: Record<string, string>;
  /** The lines of a settings file that name the bucket. */
  readonly bucket: string;
}

/** A rig and a bucket whose server goes by the rig's clock and refuses some calls. */
export async function createBucketRig(t: TestContext, deny: S3ServerOptions['deny']): Promise<BucketRig> {
  const server = await startS3Server(deny === undefined ? {} : { deny });
  t.after(() => server.close());
  const rig = await createEventsRig(t);
  server.setClockSkewMs(rig.clock.now() - Date.now());
  const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey };
  Object.assign(process.env, env);
  t.after(() => Object.keys(env).map((name) => delete process.env[name]));
  const bucket = `s3_bucket: ${server.bucket}\ns3: { endpoint: ${server.endpoint}, path_style: true }`;
  return { rig, server, env, bucket };
}
