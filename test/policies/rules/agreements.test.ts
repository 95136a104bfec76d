// Each disagreement between the YAML and what Pulumi makes is found by the rule that names it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sides } from '../../../policies/rules/agreement-rule.ts';
import { AGREEMENT_RULES } from '../../../policies/rules/agreements.ts';
import { findings } from '../../../policies/rules/rule.ts';
import type { TargetInReview } from '../../../policies/target.ts';
import { drop, killRate, put, set, shown, type Weakening } from '../mutation.ts';
import { FULL, PLAIN, targetWith } from '../program.ts';

// Copies keep the shape, but for what was broken.
const broken = (given: unknown) => findings(AGREEMENT_RULES, given as Sides).map(({ rule }) => rule.name);

test('each disagreement of YAML, cluster and account is caught by exactly the rule that names it', async (t) => {
  const target = await targetWith(FULL);
  assert.deepEqual(broken(target), []);
  const at = (kind: string): number => target.yaml.objects.findIndex((object) => object.kind === kind);
  const pod = ['yaml', 'objects', at('Deployment')];
  const spec = [...pod, 'spec', 'template', 'spec'];
  const account = ['yaml', 'objects', at('ServiceAccount')];
  const issuer = 'oidc.eks.eu-central-1.amazonaws.com/id/ABC';
  const sub = ['roles', 0, 'trust', 'Statement', 0, 'Condition', 'StringEquals', `${issuer}:sub`];
  const flag = (name: string, value: string, rule: string): Weakening => ({
    name: `--${name}=${value}`,
    rules: [rule],
    weaken: (copy) => {
      const text = JSON.stringify(copy);
      const changed = text.replace(new RegExp(`"--${name}=[^"]*"`), `"--${name}=${value}"`);
      assert.notEqual(changed, text);
      put(copy, ['yaml'], JSON.parse(changed).yaml);
    },
  });
  const weakenings = [
    ...ofEvents(target, issuer),
    set('role', ['roles', 0, 'arn'], 'arn:aws:iam::111122223333:role/other', 'agree-role'),
    set(
      'annotation',
      [...account, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn'],
      'arn:aws:iam::111122223333:role/other',
      'agree-role',
    ),
    set('bucket of the policies', ['roles', 0, 'bucket'], 'acme', 'agree-bucket'),
    set('bucket that is made', ['bucket', 'bucket'], 'acme', 'agree-bucket'),
    drop('bucket that is made', ['bucket'], 'agree-bucket'),
    set('prefix', ['roles', 0, 'prefix'], 'site-2', 'agree-bucket'),
    drop('prefix', ['roles', 0, 'prefix'], 'agree-bucket'),
    flag('to', 's3://acme-ferry/site-2', 'agree-bucket'),
    set('region', ['roles', 0, 'region'], 'us-east-1', 'agree-region'),
    flag('region', 'us-east-1', 'agree-region'),
    set('account', sub, 'system:serviceaccount:ferry:other', 'agree-service-account'),
    set('namespace', sub, 'system:serviceaccount:other:file-writer', 'agree-service-account'),
    drop('subject', sub, 'agree-service-account'),
    set(
      'namespace of the service account',
      [...account, 'metadata', 'namespace'],
      'other',
      'agree-namespace',
    ),
    drop('service', ['yaml', 'objects', at('Service')], 'agree-namespace'),
    drop('service of Pulumi', ['program', 'objects', at('Service')], 'agree-namespace'),
    ...(['initContainers', 'containers'] as const).map((list) =>
      set(`image of ${list}`, [...spec, list, 0, 'image'], 'ferry:other', 'agree-image'),
    ),
  ];
  const rate = killRate(target, weakenings, broken);
  t.diagnostic(`agreement: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
  const named = new Set(weakenings.flatMap(({ rules }) => rules));
  assert.deepEqual(
    AGREEMENT_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
    'rules that no weakening tries',
  );
});

/** The same of the pods of events, which say where they write by a settings file and the environment. */
function ofEvents({ yaml }: TargetInReview, issuer: string): Weakening[] {
  const at = (kind: string): (string | number)[] => [
    'yaml',
    'objects',
    yaml.objects.findIndex((each) => each.kind === kind && each.metadata.name === 'ferry-events'),
  ];
  const file = [...at('ConfigMap'), 'data', 'events.yaml'];
  const pod = [...at('CronJob'), 'spec', 'jobTemplate', 'spec', 'template', 'spec'];
  const sub = ['roles', 1, 'trust', 'Statement', 0, 'Condition', 'StringEquals', `${issuer}:sub`];
  const other = 'arn:aws:iam::111122223333:role/ferry';
  return [
    set('events: bucket', file, 's3_bucket: acme\ns3_key: events\n', 'agree-bucket'),
    set('events: prefix', file, 's3_bucket: acme-ferry\ns3_key: site-1\n', 'agree-bucket'),
    drop('events: file', file, 'agree-bucket'),
    set('events: region', [...pod, 'containers', 0, 'env', 1, 'value'], 'us-east-1', 'agree-region'),
    set('events: role', ['roles', 1, 'arn'], other, 'agree-role'),
    set(
      'events: annotation',
      [...at('ServiceAccount'), 'metadata', 'annotations', 'eks.amazonaws.com/role-arn'],
      other,
      'agree-role',
    ),
    set('events: image', [...pod, 'containers', 0, 'image'], 'ferry:other', 'agree-image'),
    // No role trusts its pods, so they are held to what the other role is for.
    set(
      'events: account',
      sub,
      'system:serviceaccount:ferry:other',
      'agree-bucket',
      'agree-role',
      'agree-service-account',
    ),
  ];
}

test('with EKS Pod Identity the trust agrees by its tags', async () => {
  const target = await targetWith({ ...PLAIN, 'web-identity': 'pod-identity' });
  assert.deepEqual(broken(target), []);
  const copy = structuredClone(target);
  const equals = ['roles', 0, 'trust', 'Statement', 0, 'Condition', 'StringEquals'];
  put(copy, [...equals, 'aws:RequestTag/kubernetes-namespace'], 'other');
  assert.deepEqual(broken(copy), ['agree-service-account']);
});
