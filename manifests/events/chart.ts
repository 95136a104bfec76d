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
import { EXIT } from '../../app/core/errors.ts';
import { MIB } from '../../app/plan/measured.ts';
import { locked, PULL_POLICY, podBasics, resources } from '../containers.ts';
import {
  credentialVariables,
  endpointOf,
  roleAnnotations,
  secretVariable,
  tokenMounts,
  tokenVolumes,
} from '../credentials.ts';
import { addObject } from '../guard.ts';
import { HEALTH_PORT } from '../labels.ts';
import { byteQuantity } from '../quantities.ts';
import type { TargetSettings } from '../settings/settings.ts';
import { eventsMonitoring } from './monitoring.ts';
import { EVENTS_NAME } from './names.ts';
import { eventsNetwork } from './network.ts';
import { STATE_DIR, type TargetEvents } from './read.ts';

const CONTAINER = 'ferry';
const CONFIG_DIR = '/etc/ferry';
const CONFIG = `--config=${CONFIG_DIR}/events.yaml`;
const LISTEN = `--listen=0.0.0.0:${HEALTH_PORT}`;
/** A late scheduler still runs the day; a day that is missed for good is pulled by the next run. */
const STARTING_DEADLINE_S = 6 * 3_600;
/** A million events took 128 MiB at most (docs/benchmark.md). */
const MEMORY = { memoryRequest: 160 * MIB, memoryLimit: 256 * MIB };
const CPU = { cpuRequest: 100, cpuLimit: 1_000 };
/** Logs and what the runtime writes, beside the state. */
const LOGS_BYTES = 64 * MIB;
const LABELS = {
  'app.kubernetes.io/name': EVENTS_NAME,
  'app.kubernetes.io/component': 'events',
  'app.kubernetes.io/part-of': 'ferry',
};

export class EventsChart extends Chart {
  constructor(scope: Construct, id: string, settings: TargetSettings, events: TargetEvents) {
    super(scope, id, { namespace: settings.namespace });
    const metadata = { name: EVENTS_NAME, labels: LABELS };
    new ServiceAccount(this, 'account', {
      metadata: { ...metadata, annotations: roleAnnotations(settings, events.target.roleArn) },
      automountToken: false,
    });
    const config: IConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'events.yaml': events.text },
    };
    addObject(this, config);
    eventsNetwork(this, settings, events, LABELS);
    addObject(this, cronJob(settings, events));
    if (settings.monitoring)
      eventsMonitoring(
        this,
        settings,
        {
          namespace: settings.namespace,
          schedule: events.target.schedule,
          lookbackDays: events.file.lookback,
        },
        LABELS,
      );
    const { from, to } = events.target;
    if (from !== undefined && to !== undefined) addObject(this, backfill(settings, events, from, to));
  }
}

function cronJob(settings: TargetSettings, events: TargetEvents): ICronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: EVENTS_NAME, labels: LABELS },
    spec: {
      schedule: events.target.schedule,
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
            spec: pod(settings, events, ['events', CONFIG, LISTEN], 'OnFailure'),
          },
        },
      },
    },
  };
}

function backfill(settings: TargetSettings, events: TargetEvents, from: string, to: string): IJob {
  const types = events.file.events.length;
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
            CONFIG,
            LISTEN,
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
  events: TargetEvents,
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
        ports: [{ name: 'metrics', containerPort: HEALTH_PORT }],
        resources: resources({ ...CPU, ...MEMORY, ephemeralStorage: events.target.stateBytes + LOGS_BYTES }),
        securityContext: locked(),
        volumeMounts: [
          { name: 'config', mountPath: CONFIG_DIR, readOnly: true },
          { name: 'state', mountPath: STATE_DIR },
          ...tokenMounts(settings),
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: EVENTS_NAME } },
      { name: 'state', emptyDir: { sizeLimit: byteQuantity(events.target.stateBytes) } },
      ...tokenVolumes(settings),
    ],
  };
}

function variables(settings: TargetSettings, { target, file }: TargetEvents): NonNullable<IContainer['env']> {
  const given = (name: string, value: string) => ({ name, value });
  const endpoint = endpointOf(settings);
  return [
    ...(file.api.auth === 'none' ? [] : [secretVariable(file.key_variable, target.secret)]),
    ...credentialVariables(settings, target.roleArn),
    ...(settings.s3 === 'aws' ? [] : [given('AWS_REGION', settings.region)]),
    ...(endpoint === undefined ? [] : [given('AWS_ENDPOINT_URL_S3', endpoint)]),
  ];
}
