// The alarms as they would be declared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarms, alarmsOf } from '../../infra/alarms.ts';
import { declaredBy, only } from './mocked.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:oncall';
const declared = (rate: number, prefix?: string) =>
  declaredBy(
    (opts) =>
      new Alarms(
        'acme-ferry',
        { bucket: 'acme-ferry', prefix, topic: TOPIC, alarms: alarmsOf(rate), tags: {} },
        opts,
      ),
  );

test('the topic is told of an hour without a file, of refusals and of failures, below the prefix alone', async () => {
  const all = await declared(12, 'site-1');
  assert.deepEqual(only(all, 'aws:s3/bucketMetric:BucketMetric').inputs, {
    bucket: 'acme-ferry',
    name: 'data',
    filter: { prefix: 'site-1/' },
  });
  const alarms = all.filter(({ type }) => type === 'aws:cloudwatch/metricAlarm:MetricAlarm');
  assert.deepEqual(
    alarms.map(({ inputs }) => inputs.name),
    ['acme-ferry-silent', 'acme-ferry-refused', 'acme-ferry-failing'],
  );
  for (const { inputs } of alarms) {
    assert.deepEqual(inputs.alarmActions, [TOPIC]);
    assert.deepEqual(inputs.okActions, [TOPIC]);
    assert.deepEqual(inputs.dimensions, { BucketName: 'acme-ferry', FilterId: 'data' });
  }
  const [silent, refused] = alarms.map(({ inputs }) => inputs);
  assert.equal(Number(silent?.period) * Number(silent?.evaluationPeriods), 3_600);
  assert.equal(silent?.treatMissingData, 'breaching');
  assert.equal(silent?.comparisonOperator, 'LessThanThreshold');
  assert.equal(refused?.treatMissingData, 'notBreaching');
  assert.equal(refused?.comparisonOperator, 'GreaterThanThreshold');
});

test('a writer of bursts may be silent for an hour', async () => {
  const all = await declared(0);
  assert.equal(
    all.some(({ inputs }) => String(inputs.name).endsWith('-silent')),
    false,
  );
  assert.equal('filter' in only(all, 'aws:s3/bucketMetric:BucketMetric').inputs, false);
});
