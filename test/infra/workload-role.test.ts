// The role as it would be declared, for either way in which a pod proves who it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolePolicy } from '../../infra/documents/role.ts';
import { irsaTrust, podIdentityTrust } from '../../infra/documents/trust.ts';
import { WorkloadRole, type WorkloadRoleArgs } from '../../infra/workload-role.ts';
import { ACCOUNT, ISSUER, PLACE, ROLE } from './documents/samples.ts';
import { declaredBy, only } from './mocked.ts';

const CLUSTER_ARN = 'arn:aws:eks:eu-central-1:111122223333:cluster/staging';
const ARGS: WorkloadRoleArgs = {
  role: ROLE,
  identity: { by: 'irsa', issuer: ISSUER },
  account: ACCOUNT,
  grants: { ...PLACE, region: 'eu-central-1' },
  tags: {},
};
const declared = (args: Partial<WorkloadRoleArgs> = {}) =>
  declaredBy((opts) => new WorkloadRole('uploader', { ...ARGS, ...args }, opts));

test('the role has the name, path and trust of the settings, one policy of its own and no other', async () => {
  const all = await declared();
  assert.deepEqual(
    all.map(({ type }) => type),
    ['aws:iam/role:Role', 'aws:iam/rolePolicy:RolePolicy'],
  );
  const role = only(all, 'aws:iam/role:Role').inputs;
  assert.equal(role.name, 'ferry-staging');
  assert.equal(role.path, '/team/');
  assert.deepEqual(JSON.parse(String(role.assumeRolePolicy)), irsaTrust(ROLE, ISSUER, ACCOUNT));
  assert.equal('permissionsBoundary' in role, false);
  const policy = only(all, 'aws:iam/rolePolicy:RolePolicy').inputs;
  assert.equal(policy.role, 'ferry-staging');
  assert.deepEqual(JSON.parse(String(policy.policy)), rolePolicy(ARGS.grants));
});

test('a permissions boundary bounds the role', async () => {
  const permissionsBoundary = 'arn:aws:iam::111122223333:policy/boundary';
  assert.equal(
    only(await declared({ permissionsBoundary }), 'aws:iam/role:Role').inputs.permissionsBoundary,
    permissionsBoundary,
  );
});

test('with Pod Identity the service account is tied to the role once the role may do its work', async () => {
  const all = await declared({
    identity: { by: 'pod-identity', cluster: 'staging', clusterArn: CLUSTER_ARN },
  });
  const trust = only(all, 'aws:iam/role:Role').inputs.assumeRolePolicy;
  assert.deepEqual(JSON.parse(String(trust)), podIdentityTrust(ROLE, CLUSTER_ARN, ACCOUNT));
  const association = only(all, 'aws:eks/podIdentityAssociation:PodIdentityAssociation');
  assert.deepEqual(association.inputs, {
    clusterName: 'staging',
    namespace: 'ferry',
    serviceAccount: 'file-writer',
    roleArn: 'arn:of:uploader',
  });
  assert.deepEqual(association.dependsOn, ['aws:iam/rolePolicy:RolePolicy uploader']);
});
