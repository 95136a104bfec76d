// `ferry events` in a cluster: a CronJob every morning, and an Indexed Job for a backfill, one index for each event type.
// Both are safe beside each other and beside themselves: claims save double work, the seals decide.
import { Chart } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { ICronJob } from 'kubernetes-models/batch/v1/CronJob';
import type { IJob } from 'kubernetes-models/batch/v1/Job';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { EXIT, FerryError } from '../../app/core/errors.ts';
import { MIB } from '../../app/plan/measured.ts';
import { locked, PULL_POLICY, podBasics, resources } from '../containers.ts';
import { addObject } from '../guard.ts';
import { S3_NAME, S3_PORT, selectorOf } from '../labels.ts';
import { addPolicy, DNS, INSTANCE_METADATA } from '../network.ts';
import { byteQuantity } from '../quantities.ts';
import type { TargetSettings } from '../settings/settings.ts';
import type { EventsTarget } from './settings.ts';

export const EVENTS_NAME = 'ferry-events';
export const CONTAINER = 'ferry';
const CONFIG_DIR = '/etc/ferry';
const STATE_DIR = '/var/lib/ferry';
/** A late scheduler still runs the day; a day that is missed for good is pulled by the next run. */
const STARTING_DEADLINE_S = 6 * 3_600;
/** A million events took 139 MiB. */
const MEMORY = { memoryRequest: 160 * MIB, memoryLimit: 256 * MIB };
const CPU = { cpuRequest: 100, cpuLimit: 1_000 };
/** Logs and what the runtime writes, beside the state. */
const LOGS_BYTES = 64 * MIB;
const LABELS = {
  'app.kubernetes.io/name': EVENTS_NAME,
  'app.kubernetes.io/component': 'events',
  'app.kubernetes.io/part-of': 'ferry',
};

export interface EventsInput {
  readonly settings: TargetSettings;
  readonly events: EventsTarget;
  /** The settings file of `ferry events`. */
  readonly file: string;
  readonly types: readonly string[];
}

export class EventsChart extends Chart {
  /** @throws FerryError `config` when its pods would have no credentials */
  constructor(scope: Construct, id: string, input: EventsInput) {
    const { settings, events, file, types } = input;
    super(scope, id, { namespace: settings.namespace });
    checkCredentials(settings, events);
    const metadata = { name: EVENTS_NAME, labels: LABELS };
    new ServiceAccount(this, 'account', {
      metadata: {
        ...metadata,
        annotations:
          settings.s3 === 'aws' && events.roleArn !== undefined
            ? {
                'eks.amazonaws.com/role-arn': events.roleArn,
                'eks.amazonaws.com/sts-regional-endpoints': 'true',
              }
            : {},
      },
      automountToken: false,
    });
    const config: IConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'events.yaml': file },
    };
    addObject(this, config);
    network(this, settings, events);
    addObject(this, cronJob(settings, events));
    if (events.from !== undefined && events.to !== undefined)
      addObject(this, backfill(settings, events, { from: events.from, to: events.to, types: types.length }));
  }
}

function checkCredentials(settings: TargetSettings, events: EventsTarget): void {
  if (settings.s3 === 'in-cluster') return;
  if (settings.webIdentity === 'projected')
    throw new FerryError(
      'config',
      'ferry:web-identity projected is not made for the pods of ferry-events.',
      'Use a cluster whose webhook injects the token (EKS), or S3 in the cluster.',
    );
  if (events.roleArn === undefined)
    throw new FerryError(
      'config',
      'Without a role the pods of ferry-events have no credentials.',
      'Write ferry-events:role-arn, a role that may put and list below its prefix.',
    );
}

function cronJob(settings: TargetSettings, events: EventsTarget): ICronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: EVENTS_NAME, labels: LABELS },
    spec: {
      schedule: events.schedule,
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: STARTING_DEADLINE_S,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        spec: {
          backoffLimit: 4,
          template: {
            metadata: { labels: LABELS },
            // The container is started again in its pod, whose volume knows how far each day has come.
            spec: pod(settings, events, ['events', `--config=${CONFIG_DIR}/events.yaml`], 'OnFailure'),
          },
        },
      },
    },
  };
}

function backfill(
  settings: TargetSettings,
  events: EventsTarget,
  { from, to, types }: { from: string; to: string; types: number },
): IJob {
  const onExit = (action: 'FailJob' | 'FailIndex', exits: readonly (keyof typeof EXIT)[]) => ({
    action,
    onExitCodes: {
      containerName: CONTAINER,
      operator: 'In' as const,
      values: exits.map((name) => EXIT[name]),
    },
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `${EVENTS_NAME}-${from}-${to}`, labels: LABELS },
    spec: {
      completionMode: 'Indexed',
      completions: types,
      parallelism: Math.min(types, 3),
      backoffLimitPerIndex: 4,
      maxFailedIndexes: types,
      podFailurePolicy: {
        rules: [
          // A node that goes away is no failure of the work.
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          // Wrong settings are wrong for every type.
          onExit('FailJob', ['config']),
          // What was refused is refused again: the other types go on.
          onExit('FailIndex', ['internal', 'data']),
        ],
      },
      template: {
        metadata: { labels: LABELS },
        spec: pod(
          settings,
          events,
          [
            'events',
            'backfill',
            `--config=${CONFIG_DIR}/events.yaml`,
            `--from=${from}`,
            `--to=${to}`,
            '--type-index=$(JOB_COMPLETION_INDEX)',
          ],
          'Never',
        ),
      },
    },
  };
}

function pod(
  settings: TargetSettings,
  events: EventsTarget,
  args: string[],
  restartPolicy: 'OnFailure' | 'Never',
): IPodSpec {
  return {
    ...podBasics(settings),
    serviceAccountName: EVENTS_NAME,
    restartPolicy,
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: CONTAINER,
        image: settings.image,
        imagePullPolicy: PULL_POLICY,
        // Relative paths of the settings file lie there.
        workingDir: STATE_DIR,
        args,
        env: variables(settings, events),
        resources: resources({ ...CPU, ...MEMORY, ephemeralStorage: events.stateBytes + LOGS_BYTES }),
        securityContext: locked(),
        volumeMounts: [
          { name: 'config', mountPath: CONFIG_DIR, readOnly: true },
          { name: 'state', mountPath: STATE_DIR },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: EVENTS_NAME } },
      { name: 'state', emptyDir: { sizeLimit: byteQuantity(events.stateBytes) } },
    ],
  };
}

function variables(settings: TargetSettings, events: EventsTarget): NonNullable<IContainer['env']> {
  const secret = (name: string, of: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: of, key: name } },
  });
  return [
    secret('API_KEY', events.secret),
    ...(settings.s3 === 'in-cluster'
      ? ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => secret(name, S3_NAME))
      : []),
    { name: 'AWS_REGION', value: settings.region },
  ];
}

function network(scope: Construct, settings: TargetSettings, { egress }: EventsTarget): void {
  const all = '0.0.0.0/0';
  const inCluster = settings.s3 === 'in-cluster';
  const cidrs = [...new Set([...egress, ...(inCluster ? [] : settings.egress)])];
  const outside = {
    to: cidrs.map((cidr) => ({
      ipBlock: cidr === all ? { cidr, except: [INSTANCE_METADATA] } : { cidr },
    })),
    ports: [{ protocol: 'TCP' as const, port: 443 }],
  };
  const store = {
    to: [{ podSelector: { matchLabels: selectorOf(settings, 's3') } }],
    ports: [{ protocol: 'TCP' as const, port: S3_PORT }],
  };
  addPolicy(scope, EVENTS_NAME, LABELS, {
    podSelector: { matchLabels: LABELS },
    policyTypes: ['Ingress', 'Egress'],
    egress: [DNS, outside, ...(inCluster ? [store] : [])],
  });
  if (inCluster)
    addPolicy(scope, `${EVENTS_NAME}-to-s3`, LABELS, {
      podSelector: { matchLabels: selectorOf(settings, 's3') },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: LABELS } }],
          ports: [{ protocol: 'TCP', port: S3_PORT }],
        },
      ],
    });
}
