// The same lines give the same bytes: gzip with nothing in its header that differs from run to run.
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { crc32, createGzip } from 'node:zlib';

/** The header's place and value for "unknown operating system" (RFC 1952): zlib writes the one it was built on. */
export const OS_BYTE = 9;
export const OS_UNKNOWN = 255;
const READ_BYTES = 64 * 1_024;
const OUT_BYTES = 256 * 1_024;

/**
 * A file's first bytes, compressed, and the CRC-32 of what was read; only the result is held in memory. Reads are of one
 * size: what zlib sees at a time is always the same.
 */
export async function gzipFile(
  path: string,
  lengthBytes: number,
): Promise<{ readonly body: Buffer; readonly crcRead: number }> {
  const gzip = createGzip({ level: 6, chunkSize: OUT_BYTES });
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(gzip, 'end');
  const file = await open(path);
  let crcRead = 0;
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < lengthBytes; ) {
      const wanted = Math.min(READ_BYTES, lengthBytes - at);
      const { bytesRead } = await file.read(buffer, 0, wanted, at);
      if (bytesRead < wanted) throw new Error(`${path} is shorter than what was written to it`);
      const read = buffer.subarray(0, bytesRead);
      crcRead = crc32(read, crcRead);
      // The buffer is used again: the compressor must have taken it in.
      await new Promise<void>((resolve, reject) =>
        gzip.write(read, (error) => (error ? reject(error) : resolve())),
      );
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  gzip.end();
  await ended;
  const body = Buffer.concat(chunks);
  body[OS_BYTE] = OS_UNKNOWN;
  return { body, crcRead };
}
