// Where a run writes: the bucket, the local folder, or both, each the same port with retries of its own.
import type { Clock } from '../core/clock.ts';
import type { StoreError } from '../core/errors.ts';
import { openFolderStore } from '../core/folder/store.ts';
import { tellOddPages } from '../core/listing.ts';
import type { Log } from '../core/log.ts';
import type { StorePorts } from '../core/put-once.ts';
import { createRetrier, createRetryBudget } from '../core/retry.ts';
import type { Store } from '../core/store.ts';
import type { EventsSettings } from './settings/read.ts';

export interface Destinations {
  readonly stores: readonly StorePorts[];
  close(): Promise<void>;
}

export interface DestinationOptions {
  readonly settings: EventsSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Sends nothing yet. Throws FerryError `config` where the bucket or folder cannot be used. */
export async function openDestinations(options: DestinationOptions): Promise<Destinations> {
  const { settings, clock, log, signal, env } = options;
  const opened: Store[] = [];
  if (settings.s3_bucket !== undefined) {
    const { openS3Store } = await import('../core/s3/store.ts');
    const { s3 } = settings;
    opened.push(
      await openS3Store({
        bucket: settings.s3_bucket,
        prefix: settings.s3_key,
        endpoint: s3.endpoint,
        region: s3.region,
        ...(s3.path_style ? { pathStyle: true } : {}),
        sse: s3.sse,
        sseKmsKeyId: s3.sse_kms_key_id,
        mayRead: s3.may_read,
        env,
        clock,
      }),
    );
  }
  if (settings.save_data_locally === true) opened.push(openFolderStore(settings.local_path));
  const stores = opened.map((store): StorePorts => {
    const onRetry = (error: StoreError, waitMs: number): void =>
      log.warn(`${store.label} is tried again in ${waitMs} ms`, { error });
    return {
      store: tellOddPages(store, log),
      signal,
      retry: createRetrier<StoreError>({ clock, budget: createRetryBudget(), onRetry }),
    };
  });
  return {
    stores,
    async close() {
      for (const store of opened) await store.close();
    },
  };
}
