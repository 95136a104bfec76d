// The script one would write without Ferry: every file of a directory to S3 with the AWS SDK, sixteen at a time.
// `node bench/plain-sdk.ts DIR BUCKET PREFIX ENDPOINT`. It remembers nothing, proves nothing and frees nothing.
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const CONCURRENCY = 16;
const STREAM_ABOVE_BYTES = 8 * 2 ** 20;

const [directory = '', bucket = '', prefix = '', endpoint = ''] = process.argv.slice(2);
const client = new S3Client({ endpoint, forcePathStyle: true });
const names = await readdir(directory);
let next = 0;

async function work(): Promise<void> {
  for (;;) {
    const name = names[next];
    next += 1;
    if (name === undefined) return;
    const path = join(directory, name);
    const { size } = await stat(path);
    const body = size > STREAM_ABOVE_BYTES ? createReadStream(path) : await readFile(path);
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${name}`, Body: body, ContentLength: size }),
    );
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, work));
client.destroy();
