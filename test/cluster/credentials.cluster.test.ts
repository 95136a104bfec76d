// Credentials by web identity, without a key in the cluster: the token is the uploader's alone, and an STS that checks
// it against the cluster's published keys gives the uploader what it needs to send.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { documentsOf } from '../../manifests/synth.ts';
import { at, DIGEST, list } from '../manifests/targets.ts';
import { FERRY_IMAGE } from './image.ts';
import { kubectl, tryKubectl } from './kubectl.ts';
import { changeWriter, ferryFlags } from './patches.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite, POD, rendered, type Site } from './site.ts';
import type { StsSettings } from './sts.ts';

const ROLE = 'arn:aws:iam::111122223333:role/ferry';
const STS_PORT = 8080;

test('a token for STS is the uploader’s alone, and is exchanged for keys after it was verified', async (t) => {
  const site = await createSite(t, { apply: false });
  if (site === undefined) return;
  for (const file of ['0-namespace.yaml', '1-s3.yaml'])
    await kubectl(['apply', '-f', join(site.manifests, file)]);
  const s3 = await site.kubectl('get', 'service', 'ferry-s3', '-o', 'jsonpath={.spec.clusterIP}');
  const sts = await startSts(site);
  const folder = join(site.directory, 'aws');
  await mkdir(folder);
  const manifests = await rendered(
    folder,
    {
      image: `localhost/ferry@${DIGEST}`,
      's3-image': undefined,
      namespace: site.namespace,
      bucket: site.bucket,
      endpoint: `http://${s3}:7070`,
      'role-arn': ROLE,
      'web-identity': 'projected',
      'sts-endpoint': `http://${sts}:${STS_PORT}`,
      'writer-notes': 'true',
      rate: '12',
      size: '1Ki',
      shift: '1h',
      retention: '10m',
      outage: '1h',
    },
    (documents) => {
      ferryFlags('--prove-every=2s', '--settle=1s')(documents);
      // The image was loaded under a name; its digest no registry knows.
      changeWriter((deployment) => {
        for (const kind of ['initContainers', 'containers'])
          for (const container of list(at(deployment, [...POD, kind])))
            Reflect.set(Object(container), 'image', FERRY_IMAGE);
      })(documents);
    },
  );
  await kubectl(['apply', '-f', join(manifests, '2-writer.yaml')]);
  await site.ready();
  await site.whenMetric('ferry_files_proved_total', (files) => files >= 50);

  const written = await writtenBy(site);
  const judged = judge(written, await localFiles(site), await storedObjects(t, site));
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  assert.ok(judged.stored >= 50);
  assert.match(await site.kubectl('logs', 'pod/sts'), /"AssumeRoleWithWebIdentity","answer":"keys"/);

  const path = '/var/run/secrets/ferry/sts/token';
  const token = await site.node('ferry', `process.stdout.write(require('node:fs').readFileSync('${path}'))`);
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual(claims.aud, ['sts.amazonaws.com']);
  const seen = await site.node(
    'writer',
    `const { existsSync, readFileSync } = require('node:fs');
     process.stdout.write(JSON.stringify({
       token: existsSync('${path}'), secrets: existsSync('/var/run/secrets'),
       env: Object.keys(process.env).filter((name) => /AWS|TOKEN|SECRET/.test(name)),
       mounts: readFileSync('/proc/mounts', 'utf8').includes('secrets'),
     }))`,
  );
  assert.deepEqual(JSON.parse(seen), { token: false, secrets: false, env: [], mounts: false });
  await refusesOthers(site, sts, token);
});

/** Another audience, another pod's account and a changed token get no keys: it is verified, not only looked at. */
async function refusesOthers(site: Site, sts: string, token: string): Promise<void> {
  const create = ['create', 'token', 'file-writer'];
  const foreign = await site.kubectl(...create, '--audience=another');
  const other = await site.kubectl('create', 'token', 'ferry-s3', '--audience=sts.amazonaws.com');
  const [head, body] = token.split('.');
  const forged = [head, body, foreign.split('.')[2]].join('.');
  for (const [wrong, why] of [
    [foreign, 'its audience is another'],
    [other, 'its subject is'],
    [forged, 'its signature is wrong'],
  ] as const) {
    const form = new URLSearchParams({ RoleArn: ROLE, WebIdentityToken: wrong }).toString();
    const script = `fetch('http://${sts}:${STS_PORT}', { method: 'POST', body: ${JSON.stringify(form)} })
      .then(async (answer) => console.log(answer.status, await answer.text()))`;
    const answer = await site.node('writer', script);
    assert.match(answer, /^400 /);
    assert.ok(answer.includes(why), answer);
  }
}

/** Starts the STS as a pod of the namespace and answers its address. */
async function startSts(site: Site): Promise<string> {
  const keys: unknown = JSON.parse(await kubectl(['get', '--raw', '/openid/v1/jwks']));
  const about: unknown = JSON.parse(await kubectl(['get', '--raw', '/.well-known/openid-configuration']));
  const secret = async (name: string) =>
    Buffer.from(
      await site.kubectl('get', 'secret', 'ferry-s3', '-o', `jsonpath={.data.${name}}`),
      'base64',
    ).toString();
  const settings: StsSettings = {
    port: STS_PORT,
    issuer: String(at(about, ['issuer'])),
    audience: 'sts.amazonaws.com',
    subject: `system:serviceaccount:${site.namespace}:file-writer`,
    roleArn: ROLE,
    // The API server's own document.
    keys: list(at(keys, ['keys'])) as StsSettings['keys'],
    accessKeyId: await secret('AWS_ACCESS_KEY_ID'),
    secretAccessKey: await secret('AWS_SECRET_ACCESS_KEY'),
  };
  const metadata = { name: 'sts', namespace: site.namespace };
  const source = readFileSync(join(import.meta.dirname, 'sts.ts'), 'utf8');
  const s3 = documentsOf(readFileSync(join(site.manifests, '1-s3.yaml'), 'utf8')).find(
    (document) => at(document, ['kind']) === 'Deployment',
  );
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: at(s3, [...POD, 'securityContext']),
    containers: [
      {
        name: 'sts',
        image: FERRY_IMAGE,
        imagePullPolicy: 'IfNotPresent',
        command: ['/nodejs/bin/node', '/src/sts.ts'],
        env: [{ name: 'STS', value: JSON.stringify(settings) }],
        securityContext: at(s3, [...POD, 'containers', 0, 'securityContext']),
        volumeMounts: [{ name: 'src', mountPath: '/src' }],
        readinessProbe: { tcpSocket: { port: STS_PORT }, periodSeconds: 1 },
      },
    ],
    volumes: [{ name: 'src', configMap: { name: 'sts' } }],
  };
  const open = { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };
  for (const object of [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'sts.ts': source } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec },
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: open },
  ]) {
    const { exit, stderr } = await tryKubectl(['apply', '-f', '-'], JSON.stringify(object));
    assert.equal(exit, 0, stderr);
  }
  await site.kubectl('wait', 'pod/sts', '--for=condition=Ready', '--timeout=240s');
  return site.kubectl('get', 'pod', 'sts', '-o', 'jsonpath={.status.podIP}');
}
