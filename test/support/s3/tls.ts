// A key and a certificate for 127.0.0.1 that no authority knows, made for one test.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../temp.ts';

/** In PEM, with the certificate's path for AWS_CA_BUNDLE; undefined where there is no openssl: `t.skip('needs openssl')`. */
export async function selfSigned(
  t: TestContext,
): Promise<{ readonly key: string; readonly cert: string; readonly certFile: string } | undefined> {
  const directory = await tempDir(t);
  const keyFile = join(directory, 'key.pem');
  const certFile = join(directory, 'cert.pem');
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  try {
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...name, '-out', certFile], {
      stdio: 'pipe',
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile };
}
