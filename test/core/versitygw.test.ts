// The port's promises held by the S3 store against a server of another make.
import { after } from 'node:test';
import { openS3Store } from '../../app/core/s3/store.ts';
import { startVersitygw } from '../support/versitygw.ts';
import { storeContract } from './store-contract.ts';

const gateway = await startVersitygw();
let opened = 0;

after(async () => {
  if (!('missing' in gateway)) await gateway.stop();
});

storeContract(
  'versitygw',
  async () => {
    if ('missing' in gateway) throw new Error(gateway.missing);
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = gateway;
    opened += 1;
    const store = await openS3Store({
      bucket,
      prefix: `store ${opened}/`,
      endpoint,
      region,
      pathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      mayRead: true,
      env: {},
    });
    return { store, close: () => store.close() };
  },
  'missing' in gateway ? { missing: gateway.missing } : { propertyRuns: 10 },
);
