// The same lines give the same bytes: gzip with nothing in its header that differs from run to run.
import { createReadStream } from 'node:fs';
import { crc32, createGzip } from 'node:zlib';

/** The header's place and value for "unknown operating system" (RFC 1952): zlib writes the one it was built on. */
export const OS_BYTE = 9;
export const OS_UNKNOWN = 255;
const READ_BYTES = 64 * 1_024;

/**
 * A file's first bytes, compressed, and the CRC-32 of what was read; only the result is held in memory. Reads are of one
 * size: what zlib sees at a time is always the same.
 */
export async function gzipFile(
  path: string,
  lengthBytes: number,
): Promise<{ readonly body: Buffer; readonly crcRead: number }> {
  const gzip = createGzip({ level: 6 });
  let crcRead = 0;
  const source = createReadStream(path, { highWaterMark: READ_BYTES, end: lengthBytes - 1 });
  source.on('data', (chunk) => {
    crcRead = crc32(chunk, crcRead);
  });
  source.on('error', (error) => gzip.destroy(error));
  const chunks: Buffer[] = [];
  for await (const chunk of source.pipe(gzip)) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  body[OS_BYTE] = OS_UNKNOWN;
  return { body, crcRead };
}
