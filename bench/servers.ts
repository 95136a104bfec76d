// The two servers that everything is measured against: the null S3, and versitygw, a real one of another make.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { messageOf } from '../app/core/errors.ts';
import { startVersitygw } from '../test/support/versitygw.ts';

/** Requests by method; LIST apart from GET, `412` the refused ones among the PUTs. */
export type RequestCounts = Readonly<Record<string, number>>;

export interface BenchServer {
  readonly name: 'null S3' | 'versitygw';
  readonly endpoint: string;
  readonly bucket: string;
  /** Credentials, region and, over TLS, the authority in every client's own variable. */
  readonly env: Readonly<Record<string, string>>;
  /** PEM of the server's certificate, over TLS only. */
  readonly caFile: string | undefined;
  /** Since the last `forget` or `recount`. */
  counts(): Promise<RequestCounts>;
  stored(prefix: string): Promise<{ readonly objects: number; readonly bytes: number }>;
  /** Empties the bucket and the counts. */
  forget(): Promise<void>;
  /** Empties the counts only. */
  recount(): Promise<void>;
  stop(): Promise<void>;
}

const credentials = (id: string, secret: string): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: id,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** Rejects when it does not start or, with `tls`, when there is no openssl. `directory` holds the certificate. */
export async function startNullS3(directory: string, tls: boolean): Promise<BenchServer> {
  const certificate = tls ? selfSigned(directory) : undefined;
  const words = certificate ? [certificate.keyFile, certificate.certFile] : [];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'null-s3.ts'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ended = (): string => ` (the null S3 ended: ${child.signalCode ?? child.exitCode ?? 'no, it runs'})`;
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once('exit', () => reject(new Error('The null S3 ended at its start: see its message above.')));
    child.once('error', reject);
  });
  const caFile = certificate?.certFile;
  const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const ask = (what: string): Promise<string> =>
    get(`${endpoint}/-/${what}`, caFile).catch((error: unknown) => {
      throw new Error(`${messageOf(error)}${ended()}`, { cause: error });
    });
  return {
    name: 'null S3',
    endpoint,
    bucket: 'bench',
    caFile,
    env: { ...credentials('NULLS3KEY', 'null-s3-secret'), ...authorityEnv(caFile) },
    counts: async () => JSON.parse(await ask('counts')),
    stored: async (prefix) => JSON.parse(await ask(`stored?prefix=${encodeURIComponent(prefix)}`)),
    forget: async () => void (await ask('forget')),
    recount: async () => void (await ask('recount')),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** `missing` says what this machine lacks. */
export async function startRealS3(directory: string): Promise<BenchServer | { readonly missing: string }> {
  const accessLog = join(directory, 'versitygw-access.log');
  // versitygw takes its flags from the environment too; the helper hands ours on.
  process.env.VGW_ACCESS_LOG = accessLog;
  const server = await startVersitygw();
  delete process.env.VGW_ACCESS_LOG;
  if ('missing' in server) return server;
  const forgetCounts = (): void => {
    truncateSync(accessLog, 0);
  };
  return {
    name: 'versitygw',
    endpoint: server.endpoint,
    bucket: server.bucket,
    caFile: undefined,
    env: credentials(server.accessKeyId, server.secretAccessKey),
    counts: async () => countLog(readFileSync(accessLog, 'utf8')),
    stored: async (prefix) => weigh(join(server.dataDir, prefix)),
    async forget() {
      // What it knows of an object outlives the object's file, and would refuse a conditional upload.
      for (const directory of [server.dataDir, server.metaDir]) {
        if (!existsSync(directory)) continue;
        for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
      }
      forgetCounts();
    },
    recount: async () => forgetCounts(),
    stop: () => server.stop(),
  };
}

/** Requests of versitygw's access log (`… s3_PutObject key "path" 200 …`), by method. */
export function countLog(log: string): RequestCounts {
  const counts: Record<string, number> = {};
  for (const [, operation = '', status] of log.matchAll(/ s3_([A-Za-z0-9]+) .*? (\d{3}) /g)) {
    const method = METHODS.find(([names]) => names.test(operation))?.[1] ?? operation;
    counts[method] = (counts[method] ?? 0) + 1;
    if (status === '412') counts['412'] = (counts['412'] ?? 0) + 1;
  }
  return counts;
}

/** S3's operations by the method they are billed as. */
const METHODS: readonly (readonly [RegExp, string])[] = [
  [/^List/, 'LIST'],
  [/^(CreateMultipart|CompleteMultipart|DeleteObjects$)/, 'POST'],
  [/^(Put|Upload|Copy|CreateBucket)/, 'PUT'],
  [/^Head/, 'HEAD'],
  [/^Get/, 'GET'],
  [/^(Delete|Abort)/, 'DELETE'],
];

/** versitygw's objects are plain files; what it is still writing lies in directories that start with a dot. */
function weigh(directory: string): { objects: number; bytes: number } {
  let objects = 0;
  let bytes = 0;
  if (!existsSync(directory)) return { objects, bytes };
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    // Ferry's receipts tell of what is measured; they are no part of it.
    if (!entry.isFile() || /(^|\/)(\.|_receipts\/)/.test(path.slice(directory.length))) continue;
    objects += 1;
    bytes += statSync(path).size;
  }
  return { objects, bytes };
}

/** The variable each client reads its authorities from: the AWS SDKs and Ferry, Go, Node. */
function authorityEnv(caFile: string | undefined): Record<string, string> {
  if (caFile === undefined) return {};
  return { AWS_CA_BUNDLE: caFile, SSL_CERT_FILE: caFile, NODE_EXTRA_CA_CERTS: caFile };
}

function selfSigned(directory: string): { keyFile: string; certFile: string } {
  const keyFile = join(directory, 'key.pem');
  const certFile = join(directory, 'cert.pem');
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-days',
        '2',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        keyFile,
        '-out',
        certFile,
      ],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ],
    { stdio: 'pipe' },
  );
  return { keyFile, certFile };
}

function get(url: string, caFile: string | undefined): Promise<string> {
  const request = caFile === undefined ? httpRequest : httpsRequest;
  const tls = caFile === undefined ? {} : { ca: readFileSync(caFile) };
  return new Promise((resolve, reject) => {
    request(url, { agent: false, ...tls }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`The server answered ${url} with HTTP ${response.statusCode}.`));
      });
    })
      .on('error', reject)
      .end();
  });
}
