// Keys of the S3 server in the cluster: made once per checkout at random, and kept outside version control, so that no
// two clusters share them and yet the same settings give the same YAML.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { errnoOf, FerryError } from '../app/core/errors.ts';
import type { S3Keys } from './s3.ts';

const schema = z.strictObject({ accessKeyId: z.string().min(8), secretAccessKey: z.string().min(32) });

/** For a look at what would be made: nobody will use them. */
export const NO_KEYS: S3Keys = { accessKeyId: 'offline', secretAccessKey: 'offline' };

/** @throws FerryError `config` when the file is there and holds no keys. */
export function keptKeys(directory: string, target: string): S3Keys {
  const path = join(directory, `s3-keys-${target}.json`);
  const text = readIfThere(path);
  if (text === undefined) {
    const keys = {
      accessKeyId: `ferry${randomBytes(8).toString('hex')}`,
      secretAccessKey: randomBytes(24).toString('hex'),
    };
    mkdirSync(directory, { recursive: true });
    writeFileSync(path, `${JSON.stringify(keys)}\n`, { mode: 0o600, flag: 'wx' });
    return keys;
  }
  const result = schema.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new FerryError(
    'config',
    `${path} does not hold the keys of the S3 server in the cluster.`,
    'Delete it: new keys are made, and reach the cluster with the next kubectl apply.',
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
