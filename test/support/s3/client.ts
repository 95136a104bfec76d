// The AWS SDK's client against the test server, and what it makes of refusals.
import type { TestContext } from 'node:test';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { type S3Server, type S3ServerOptions, startS3Server } from './server.ts';

/** A server and a client for one test. */
export async function start(t: TestContext, options: S3ServerOptions = {}, over: S3ClientConfig = {}) {
  const server = await startS3Server(options);
  const client = clientOf(server, over);
  t.after(async () => {
    client.destroy();
    await server.close();
  });
  return { server, client, Bucket: server.bucket };
}

export function clientOf(server: S3Server, over: S3ClientConfig = {}): S3Client {
  const { accessKeyId, secretAccessKey } = server;
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    ...over,
  });
}

/** S3's error code and status of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const failure = error as { name: string; code?: string; $metadata?: { httpStatusCode?: number } };
    const status = failure.$metadata?.httpStatusCode;
    return status === undefined ? (failure.code ?? failure.name) : `${status} ${failure.name}`;
  }
  throw new Error('The call did not fail.');
}
