// What is asked of the account before anything is made, and what people are told when an answer does not fit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../app/core/errors.ts';
import { type Lookups, lookUp } from '../../infra/account.ts';
import { roleName } from '../../infra/documents/policy.ts';
import { LEAST, targetOf } from '../manifests/targets.ts';
import { ISSUER } from './documents/samples.ts';

const ROLE = roleName(LEAST.aws['role-arn']);
const FOUND = {
  name: 'staging',
  region: 'us-east-1',
  arn: 'arn:aws:eks:us-east-1:111122223333:cluster/staging',
  endpoint: 'https://abc.eks.amazonaws.com',
  certificateAuthority: 'Q0E=',
  issuer: ISSUER,
};
/** An account where all is as it should be. */
const READY: Lookups = {
  callerAccount: async () => '111122223333',
  cluster: async () => FOUND,
  audiences: async () => ['sts.amazonaws.com'],
  bucket: () => Promise.reject(new Error('StatusCode: 404, NotFound')),
};

const ask = (values: Readonly<Record<string, string>>, lookups: Partial<Lookups> = {}) =>
  lookUp(targetOf('aws', values).settings, ROLE, { ...READY, ...lookups });

async function refusal(...args: Parameters<typeof ask>): Promise<string> {
  try {
    await ask(...args);
  } catch (error) {
    if (error instanceof FerryError) return error.message;
    throw error;
  }
  return assert.fail('nothing was refused');
}

test('the issuer and the way to the cluster are looked up by its name', async () => {
  const account = await ask({ cluster: 'staging' });
  assert.deepEqual(account.identity, { by: 'irsa', issuer: ISSUER });
  assert.equal(account.cluster?.endpoint, FOUND.endpoint);
});

test('a context of the kubeconfig leads elsewhere, and the issuer may be written', async () => {
  const never = () => assert.fail('EKS was asked');
  const account = await ask({ 'kube-context': 'kind', 'oidc-issuer': ISSUER }, { cluster: never });
  assert.deepEqual(account, { identity: { by: 'irsa', issuer: ISSUER } });
});

test('Pod Identity needs a cluster and no issuer', async () => {
  const values = { cluster: 'staging', 'web-identity': 'pod-identity' };
  const never = () => assert.fail('IAM was asked');
  const account = await ask(values, {
    audiences: never,
    cluster: async () => ({ ...FOUND, issuer: undefined }),
  });
  assert.deepEqual(account.identity, { by: 'pod-identity', cluster: 'staging', clusterArn: FOUND.arn });
  assert.match(
    await refusal({ 'kube-context': 'kind', 'web-identity': 'pod-identity' }),
    /Pod Identity belongs to an EKS cluster/,
  );
});

test('without credentials one sentence says so and nothing else is asked', async () => {
  const never = () => assert.fail('EKS was asked');
  const callerAccount = () => Promise.reject(new Error('a layer:\n\tno valid credential sources found.'));
  const text = await refusal({ cluster: 'staging' }, { callerAccount, cluster: never });
  assert.match(
    text,
    /AWS does not say whose credentials these are: no valid credential sources found\. Sign in/,
  );
});

test('another account, no such cluster and no provider are told at once', async () => {
  const text = await refusal(
    { cluster: 'stagign', 'oidc-issuer': ISSUER },
    {
      callerAccount: async () => '999999999999',
      cluster: () => Promise.reject(new Error('ResourceNotFoundException: No cluster found')),
      audiences: () => Promise.reject(new Error('NoSuchEntity')),
    },
  );
  assert.match(
    text,
    /belong to account 999999999999, and ferry:role-arn names a role of account 111122223333/,
  );
  assert.match(text, /no EKS cluster stagign in us-east-1 .*No cluster found\. `aws eks list-clusters/);
  assert.match(
    text,
    /IAM does not know the issuer .*associate-iam-oidc-provider --cluster stagign --approve/,
  );
});

test('a cluster without an issuer, another issuer than written, and tokens for others are refused', async () => {
  const noIssuer = { cluster: async () => ({ ...FOUND, issuer: undefined }) };
  assert.match(await refusal({ cluster: 'staging' }, noIssuer), /staging has no OIDC issuer/);
  const other = 'https://oidc.example.org/id/other';
  assert.match(
    await refusal({ cluster: 'staging', 'oidc-issuer': other }),
    /is https:\/\/oidc\.example\.org\/id\/other, and the cluster staging has https:/,
  );
  const audiences = async () => ['sigstore'];
  assert.match(await refusal({ cluster: 'staging' }, { audiences }), /for sigstore and not for sts/);
});

test('nothing that leads to the cluster, and nobody to trust, are two sentences', async () => {
  const text = await refusal({});
  assert.match(text, /Nothing leads to the cluster/);
  assert.match(text, /Whose tokens the role trusts is not known/);
});

test('a bucket of somebody else is refused, and one that is there or is not yet is taken', async () => {
  const error = new Error('operation error S3: HeadBucket, https response error StatusCode: 403, Forbidden');
  const text = await refusal({ cluster: 'staging' }, { bucket: () => Promise.reject(error) });
  assert.match(text, /The bucket acme-ferry belongs to somebody else/);
  await ask({ cluster: 'staging' }, { bucket: async () => {} });
});
