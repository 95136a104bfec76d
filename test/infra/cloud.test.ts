// What is made in the account for a target that has turned events on, and for one that has not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCloud } from '../../infra/cloud.ts';
import { bucketPolicy } from '../../infra/documents/bucket.ts';
import { rolePolicy } from '../../infra/documents/role.ts';
import { readEvents } from '../../manifests/events/read.ts';
import { readTarget } from '../../manifests/settings/read.ts';
import { LEAST, settingsFile } from '../manifests/targets.ts';
import { madeBy } from './mocked.ts';

const EVENTS_ROLE = 'arn:aws:iam::111122223333:role/team/ferry-events';
const EVENTS = `  ferry-events:settings: events.yaml\n  ferry-events:role-arn: ${EVENTS_ROLE}\n`;
const FILE = `url: https://api.example.com\ns3_bucket: ${LEAST.aws.bucket}\ns3_key: events\nevents: [charge]\n`;
const PLACE = { partition: 'aws', bucket: LEAST.aws.bucket };
const REGION = 'us-east-1';

async function made(more: Readonly<Record<string, string>>, events: string) {
  const content = `${settingsFile({ ...LEAST.aws, prefix: 'site-1', cluster: 'staging', ...more })}${events}`;
  const settings = readTarget('Pulumi.test.yaml', content);
  const on = readEvents('Pulumi.test.yaml', content, settings, () => FILE);
  const all = await madeBy(async () => (await planCloud('test', settings, on, true)).make());
  const of = (type: string) =>
    new Map(all.flatMap((one) => (one.type === type ? [[one.name, one.inputs]] : [])));
  const json = (inputs: unknown, field: string): unknown =>
    JSON.parse(String(Reflect.get(Object(inputs), field)));
  return {
    roles: of('aws:iam/role:Role'),
    granted: (name: string) => json(of('aws:iam/rolePolicy:RolePolicy').get(name), 'policy'),
    trusted: (name: string) => JSON.stringify(json(of('aws:iam/role:Role').get(name), 'assumeRolePolicy')),
    bucket: json(of('aws:s3/bucketPolicy:BucketPolicy').get('data'), 'policy'),
    associations: of('aws:eks/podIdentityAssociation:PodIdentityAssociation'),
  };
}

test('events have a role of their own that writes below their prefix, lists it, and nothing else', async () => {
  const { roles, granted, trusted } = await made({}, EVENTS);
  assert.deepEqual([...roles.keys()], ['uploader', 'events']);
  const { name, path } = Object(roles.get('events'));
  assert.deepEqual([name, path], ['ferry-events', '/team/']);
  assert.deepEqual(granted('events'), rolePolicy({ ...PLACE, prefix: 'events', region: REGION }));
  assert.deepEqual(granted('uploader'), rolePolicy({ ...PLACE, prefix: 'site-1', region: REGION }));
  assert.match(trusted('events'), /:sub":"system:serviceaccount:ferry:ferry-events"/);
  assert.match(trusted('uploader'), /:sub":"system:serviceaccount:ferry:file-writer"/);
});

test('the bucket guards both prefixes, each with its only writer', async () => {
  const { bucket } = await made({}, EVENTS);
  const others = [{ prefix: 'events', writer: EVENTS_ROLE }];
  assert.deepEqual(
    bucket,
    bucketPolicy({ ...PLACE, prefix: 'site-1', writer: LEAST.aws['role-arn'], others }),
  );
});

test('key, VPC endpoint, boundary and Pod Identity hold for the role of events, too', async () => {
  const vpcEndpoint = 'vpce-0123456789abcdef0';
  const kmsKey = `arn:aws:kms:${REGION}:111122223333:key/01234567-89ab-cdef-0123-456789abcdef`;
  const boundary = 'arn:aws:iam::111122223333:policy/boundary';
  const { roles, granted, associations } = await made(
    {
      'vpc-endpoint': vpcEndpoint,
      encryption: 'sse-kms',
      'kms-key': kmsKey,
      'permissions-boundary': boundary,
      'web-identity': 'pod-identity',
    },
    EVENTS,
  );
  assert.deepEqual(
    granted('events'),
    rolePolicy({ ...PLACE, prefix: 'events', region: REGION, vpcEndpoint, kmsKey }),
  );
  assert.equal(Object(roles.get('events')).permissionsBoundary, boundary);
  assert.deepEqual(
    [...associations.values()].map(({ serviceAccount, roleArn }) => [serviceAccount, roleArn]),
    [
      ['file-writer', 'arn:of:uploader'],
      ['ferry-events', 'arn:of:events'],
    ],
  );
});

test('without events there is one role, and the bucket knows of no other writer', async () => {
  const { roles, bucket } = await made({}, '');
  assert.deepEqual([...roles.keys()], ['uploader']);
  assert.deepEqual(bucket, bucketPolicy({ ...PLACE, prefix: 'site-1', writer: LEAST.aws['role-arn'] }));
});
