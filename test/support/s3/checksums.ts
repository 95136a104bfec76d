// The checksums S3 knows, computed the slow and plain way: what the test server holds every upload against.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type ChecksumAlgorithm = 'sha256' | 'sha1' | 'crc32' | 'crc32c' | 'crc64nvme';

export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = [
  'sha256',
  'sha1',
  'crc32',
  'crc32c',
  'crc64nvme',
];

/** The name of an algorithm in XML elements: `ChecksumSHA256`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`;
}

/** The checksum in base64, as S3's headers carry it. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  switch (algorithm) {
    case 'sha256':
    case 'sha1':
      return createHash(algorithm).update(bytes).digest('base64');
    case 'crc32':
      return bigEndian([crc32(bytes)]);
    case 'crc32c':
      return bigEndian([crc32c(bytes)]);
    case 'crc64nvme':
      return bigEndian(crc64nvme(bytes));
  }
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function bigEndian(words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4);
  return bytes.toString('base64');
}

// Castagnoli's polynomial, reflected (RFC 3720, appendix B.4).
const CRC32C = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC32C[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

// NVMe's 64-bit polynomial 0x9a6c9329ac4bc9b5, reflected, in two halves: 32-bit integers are ten times faster than BigInt.
const CRC64_HIGH = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
for (let index = 0; index < 256; index += 1) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit += 1) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      high ^= 0x9a6c9329;
      low ^= 0xac4bc9b5;
    }
  }
  CRC64_HIGH[index] = high;
  CRC64_LOW[index] = low;
}

function crc64nvme(bytes: Uint8Array): [high: number, low: number] {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[index] ?? 0);
    high = (high >>> 8) ^ (CRC64_HIGH[index] ?? 0);
  }
  return [~high, ~low];
}
