// The strict S3 server in a process of its own, keeping no bodies: for figures that must not hold the server's share.
// Started with a number, it places so many objects first. Says its address in one line of JSON; ends with its stdin.
import { startS3Server } from './s3/server.ts';

const server = await startS3Server({ keepBodies: false });
const count = Number(process.argv[2] ?? 0);
const prefix = process.argv[3] ?? '';
for (let number = 0; number < count; number += 1) {
  server.place(`${prefix}file-${String(number).padStart(7, '0')}`, Buffer.from(String(number)));
}
const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
process.stdout.write(`${JSON.stringify({ endpoint, bucket, region, accessKeyId, secretAccessKey })}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
