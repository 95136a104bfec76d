// What wakes somebody from outside the cluster, when nothing inside it can any more: the bucket gets no files, or
// refuses them.
import { MetricAlarm } from '@pulumi/aws/cloudwatch/metricAlarm.js';
import { BucketMetric } from '@pulumi/aws/s3/bucketMetric.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';

export interface AlarmsArgs {
  readonly bucket: Input<string>;
  /** Without a slash at its end. @default the whole bucket */
  readonly prefix?: string | undefined;
  /** ARN of the SNS topic that is told. */
  readonly topic: string;
  /** What is alarmed about. */
  readonly alarms: readonly Alarm[];
  readonly tags: Readonly<Record<string, string>>;
}

/** One alarm on the requests below the prefix. */
export interface Alarm {
  readonly name: string;
  readonly says: string;
  readonly metric: 'PutRequests' | '4xxErrors' | '5xxErrors';
  /** Of the errors the average is their share of all requests. */
  readonly statistic: 'Sum' | 'Average';
  readonly when: 'GreaterThanThreshold' | 'LessThanThreshold';
  readonly threshold: number;
  /** Each of `periods` times this many seconds. */
  readonly periodSeconds: number;
  readonly periods: number;
  readonly withoutData: 'breaching' | 'notBreaching';
}

/** At most an hour without a file, where that is no accident of the writer's own rhythm. */
const SILENCE_SECONDS = 3_600;
const SILENCE_FILES = 10;
const REFUSED_SHARE = 0.05;
const FIVE_MINUTES = 300;

/**
 * Request metrics come within minutes, at a charge per metric.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
 * @param rate files per second that the writer makes all day; a writer of bursts alone may be silent for long
 */
export function alarmsOf(rate: number): Alarm[] {
  const share = (name: string, metric: '4xxErrors' | '5xxErrors', says: string): Alarm => ({
    name,
    says,
    metric,
    statistic: 'Average',
    when: 'GreaterThanThreshold',
    threshold: REFUSED_SHARE,
    periodSeconds: FIVE_MINUTES,
    periods: 3,
    withoutData: 'notBreaching',
  });
  const silence: Alarm = {
    name: 'silent',
    says: 'No file has reached the bucket for an hour. Look at the pod: does the writer write, does Ferry run?',
    metric: 'PutRequests',
    statistic: 'Sum',
    when: 'LessThanThreshold',
    threshold: 1,
    periodSeconds: FIVE_MINUTES,
    periods: SILENCE_SECONDS / FIVE_MINUTES,
    withoutData: 'breaching',
  };
  return [
    ...(rate * SILENCE_SECONDS >= SILENCE_FILES ? [silence] : []),
    share(
      'refused',
      '4xxErrors',
      'S3 refuses more than 5 % of the requests. Look at the log of the container ferry: it says which call and why.',
    ),
    share(
      'failing',
      '5xxErrors',
      'S3 fails more than 5 % of the requests. Files wait on their volume meanwhile.',
    ),
  ];
}

export class Alarms extends ComponentResource {
  constructor(name: string, args: AlarmsArgs, opts: ComponentResourceOptions = {}) {
    super('ferry:infra:Alarms', name, {}, opts);
    const own = { parent: this };
    const metric = new BucketMetric(
      name,
      {
        bucket: args.bucket,
        name: 'data',
        ...(args.prefix === undefined ? {} : { filter: { prefix: `${args.prefix}/` } }),
      },
      own,
    );
    for (const alarm of args.alarms)
      new MetricAlarm(
        `${name}-${alarm.name}`,
        {
          name: `${name}-${alarm.name}`,
          alarmDescription: alarm.says,
          namespace: 'AWS/S3',
          metricName: alarm.metric,
          dimensions: { BucketName: args.bucket, FilterId: metric.name },
          statistic: alarm.statistic,
          comparisonOperator: alarm.when,
          threshold: alarm.threshold,
          period: alarm.periodSeconds,
          evaluationPeriods: alarm.periods,
          treatMissingData: alarm.withoutData,
          alarmActions: [args.topic],
          okActions: [args.topic],
          tags: { ...args.tags },
        },
        own,
      );
    this.registerOutputs({});
  }
}
