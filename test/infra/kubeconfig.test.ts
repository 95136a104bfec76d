// The way to the cluster: one context and nothing else of a person's kubeconfig.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { FerryError } from '../../app/core/errors.ts';
import { eksKubeconfig, kubeconfigOf } from '../../infra/kubeconfig.ts';

const entry = (name: string, user: object = { token: `of-${name}` }) => ({
  contexts: [{ name, context: { cluster: `${name}-cluster`, user: `${name}-user`, namespace: 'default' } }],
  clusters: [
    {
      name: `${name}-cluster`,
      cluster: { server: `https://${name}:6443`, 'certificate-authority': 'ca.crt' },
    },
  ],
  users: [{ name: `${name}-user`, user }],
});

const file = (path: string, ...entries: ReturnType<typeof entry>[]) => ({
  path,
  text: stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'other',
    contexts: entries.flatMap(({ contexts }) => contexts),
    clusters: entries.flatMap(({ clusters }) => clusters),
    users: entries.flatMap(({ users }) => users),
  }),
});

test('the named context leads, whatever the current one is, and nobody else’s credentials are taken along', () => {
  const one = kubeconfigOf([file('/home/u/.kube/config', entry('other'), entry('minikube'))], 'minikube');
  const parsed = parse(one);
  assert.equal(parsed['current-context'], 'minikube');
  assert.deepEqual(parsed.users, [{ name: 'minikube-user', user: { token: 'of-minikube' } }]);
  assert.equal(parsed.clusters.length, 1);
  assert.ok(!one.includes('other'));
});

test('paths in a kubeconfig start at its folder, and of several files the first that knows a name wins', () => {
  const files = [
    file('/first/config', entry('prod')),
    file('/second/config', entry('prod', { token: 'late' }), entry('minikube', { 'client-key': '../k.key' })),
  ];
  const minikube = parse(kubeconfigOf(files, 'minikube'));
  assert.equal(minikube.clusters[0].cluster['certificate-authority'], '/second/ca.crt');
  assert.equal(minikube.users[0].user['client-key'], '/k.key');
  assert.equal(parse(kubeconfigOf(files, 'prod')).users[0].user.token, 'of-prod');
});

test('a context that is not there is named with those that are', () => {
  const refuse = (files: Parameters<typeof kubeconfigOf>[0]) => {
    try {
      return kubeconfigOf(files, 'staging');
    } catch (error) {
      return error instanceof FerryError ? error.message : assert.fail(String(error));
    }
  };
  assert.match(refuse([file('/c', entry('minikube'))]), /no context staging in \/c: it holds minikube/);
  assert.match(refuse([]), /no context staging in any kubeconfig: it holds none/);
  assert.match(refuse([{ path: '/c', text: 'contexts: {}' }]), /\/c is no kubeconfig/);
  const { contexts } = entry('staging');
  assert.match(
    refuse([{ path: '/c', text: stringify({ contexts }) }]),
    /the cluster staging-cluster, which no kubeconfig holds/,
  );
});

test('into an EKS cluster leads who runs Pulumi, by a token of the AWS command line', () => {
  const parsed = parse(
    eksKubeconfig({
      name: 'staging',
      region: 'eu-central-1',
      endpoint: 'https://abc.eks.amazonaws.com',
      certificateAuthority: 'Q0E=',
    }),
  );
  assert.equal(parsed.clusters[0].cluster.server, 'https://abc.eks.amazonaws.com');
  assert.equal(parsed.clusters[0].cluster['certificate-authority-data'], 'Q0E=');
  assert.equal(parsed.users[0].user.exec.command, 'aws');
  assert.deepEqual(parsed.users[0].user.exec.args.slice(0, 4), [
    'eks',
    'get-token',
    '--cluster-name',
    'staging',
  ]);
});
