// Where the bucket is: endpoint, region, path style or host style, from the options, the environment and the profile.
import { FerryError, StoreError } from '../errors.ts';
import { encodePath } from './sign.ts';

export interface AddressOptions {
  readonly bucket: string;
  /** '' or 'a/b/'. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** @default true with an endpoint or a dot in the bucket's name (no certificate covers that), else false */
  readonly pathStyle?: boolean | undefined;
  readonly profile?: string | undefined;
}

export interface Address {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** The service's own address, for the SDK and for messages: `https://s3.eu-west-1.amazonaws.com`. */
  readonly endpoint: string;
  /** Where requests go: `https://bucket.s3.eu-west-1.amazonaws.com`. */
  readonly origin: string;
  /** The Host header. */
  readonly host: string;
  /** The bucket's own path, percent-encoded: `/`, or `/bucket` with path style. */
  readonly bucketPath: string;
  /** What comes before a key in a request's path, percent-encoded, ends in '/'. */
  readonly keyPath: string;
}

/** Throws FerryError `config` when the bucket, endpoint or region cannot be used. */
export async function resolveAddress(options: AddressOptions, env: NodeJS.ProcessEnv): Promise<Address> {
  const { bucket, prefix } = options;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
    throw new FerryError(
      'config',
      `${JSON.stringify(bucket)} is no bucket name.`,
      'Name a bucket as in s3://bucket/prefix: letters, digits, dots and hyphens.',
    );
  }
  const configured = options.endpoint ?? endpointOf(env);
  const region = await findRegion(options, configured !== undefined, env);
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const service = parseEndpoint(configured ?? `https://s3.${region}.${suffix}`);
  const pathStyle = options.pathStyle ?? (configured !== undefined || bucket.includes('.'));
  const base = service.pathname.replace(/\/+$/, '');
  const host = pathStyle ? service.host : `${bucket}.${service.host}`;
  const bucketPath = pathStyle ? `${base}/${bucket}` : `${base}/`;
  return {
    bucket,
    prefix,
    region,
    pathStyle,
    endpoint: `${service.protocol}//${service.host}${base}`,
    origin: `${service.protocol}//${host}`,
    host,
    bucketPath,
    keyPath: `${pathStyle ? bucketPath : base}/`,
  };
}

function endpointOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  return env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined;
}

function parseEndpoint(text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '') return url;
  throw new FerryError(
    'config',
    'The S3 endpoint is no URL that can be used.',
    'Write it as https://host:port, without user, password or query.',
  );
}

async function findRegion(
  options: AddressOptions,
  hasEndpoint: boolean,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const region =
    options.region || env.AWS_REGION || env.AWS_DEFAULT_REGION || (await profileRegion(options.profile, env));
  if (!region && hasEndpoint) return 'us-east-1';
  if (!region) {
    throw new FerryError(
      'config',
      `The region of s3://${options.bucket} is not known.`,
      'Set --region, AWS_REGION or a region in the AWS profile; or name another server with --endpoint.',
    );
  }
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(region)) return region;
  throw new FerryError('config', `${JSON.stringify(region)} is no region.`, 'Write it as in eu-west-1.');
}

async function profileRegion(
  profile: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const { configFile, credentialsFile } = await loadSharedConfigFiles({
    ...(env.AWS_SHARED_CREDENTIALS_FILE ? { filepath: env.AWS_SHARED_CREDENTIALS_FILE } : {}),
    ...(env.AWS_CONFIG_FILE ? { configFilepath: env.AWS_CONFIG_FILE } : {}),
  });
  const name = profile ?? env.AWS_PROFILE ?? 'default';
  return configFile[name]?.region ?? credentialsFile[name]?.region;
}

/** S3's own limit, UTF-8. */
export const KEY_MAX_BYTES = 1_024;

/**
 * The object's full key. Throws StoreError `bad-request` for a key that S3 would refuse or silently change, before
 * anything is sent.
 */
export function fullKey(address: Address, key: string): string {
  const full = address.prefix + key;
  let why = '';
  if (key === '') why = 'it is empty';
  // Half a surrogate pair has no UTF-8: two such names would become one key.
  else if (!full.isWellFormed()) why = 'it is no well-formed Unicode';
  else if (full.length > KEY_MAX_BYTES / 3 && Buffer.byteLength(full) > KEY_MAX_BYTES) {
    why = `it has ${Buffer.byteLength(full)} bytes with its prefix, S3 takes ${KEY_MAX_BYTES}`;
  }
  if (why === '') return full;
  throw new StoreError(
    'bad-request',
    `The key ${JSON.stringify(key)} cannot be used in s3://${address.bucket}: ${why}. Nothing was sent.`,
  );
}

/** A request's path for a full key. */
export function keyPathOf(address: Address, full: string): string {
  return address.keyPath + encodePath(full);
}
