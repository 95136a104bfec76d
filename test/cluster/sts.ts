// An STS for a cluster: hands out keys for a web-identity token that it has verified against the cluster's published
// keys. It runs in a pod from its own source text, so it uses nothing but Node.
import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';

/** What it verifies and what it hands out, from the environment variable STS. */
export interface StsSettings {
  readonly port: number;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly roleArn: string;
  /** The cluster's /openid/v1/jwks. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Why the token is refused; undefined when it is good. */
export function refusal(token: string, settings: StsSettings, nowS = Date.now() / 1_000): string | undefined {
  const [head = '', body = '', signature = ''] = token.split('.');
  const part = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString());
  const { kid, alg } = part(head);
  const jwk = settings.keys.find((key) => key.kid === kid);
  if (jwk === undefined || alg !== 'RS256') return 'its key is not one of the cluster';
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url')))
    return 'its signature is wrong';
  const { iss, aud, sub, exp } = part(body);
  if (iss !== settings.issuer) return `its issuer is ${iss}`;
  if (![aud].flat().includes(settings.audience)) return `its audience is ${aud}`;
  if (sub !== settings.subject) return `its subject is ${sub}`;
  return exp > nowS ? undefined : 'it has expired';
}

function serve(settings: StsSettings): void {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const form = new URLSearchParams(text);
      const wrong =
        form.get('RoleArn') === settings.roleArn
          ? refusal(form.get('WebIdentityToken') ?? '', settings)
          : 'the role is another';
      console.log(JSON.stringify({ action: form.get('Action'), answer: wrong ?? 'keys' }));
      // The S3 server of the cluster has lasting keys only, so the session has no token.
      const expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.writeHead(wrong === undefined ? 200 : 400, { 'content-type': 'text/xml' });
      response.end(
        wrong === undefined
          ? `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${settings.accessKeyId}</AccessKeyId><SecretAccessKey>${settings.secretAccessKey}</SecretAccessKey><SessionToken></SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
          : `<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>${wrong}</Message></Error></ErrorResponse>`,
      );
    });
  });
  server.listen(settings.port);
}

if (process.env.STS !== undefined) serve(JSON.parse(process.env.STS));
