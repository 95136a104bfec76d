// The port's promises held by the stores that need nothing but this machine: the folder, and S3 over the strict server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderStore } from '../../app/core/folder/store.ts';
import { openS3Store } from '../../app/core/s3/store.ts';
import { startS3Server } from '../support/s3/server.ts';
import { storeContract } from './store-contract.ts';

storeContract('a folder', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-contract-'));
  const store = openFolderStore(join(directory, 'bucket'));
  return {
    store,
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

for (const [name, prefix, sse] of [
  ['S3', '', 'none'],
  ['S3 below a prefix', 'team a/ä+b/', 'none'],
  ['S3 with SSE-KMS', 'p/', 'kms'],
] as const) {
  storeContract(name, async () => {
    const server = await startS3Server({ sse });
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
    const store = await openS3Store({
      bucket,
      prefix,
      endpoint,
      region,
      pathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      mayRead: true,
      env: {},
    });
    return {
      store,
      async close() {
        await store.close();
        await server.close();
      },
    };
  });
}
