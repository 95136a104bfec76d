// The pod itself: the writer, Ferry beside it as a native sidecar, and the volumes they share and do not share.
// The sidecar starts first, and at a stop it gets its SIGTERM when the writer has ended: what the writer completes in
// its last seconds is still sent.
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import { httpProbe, locked, PULL_POLICY, podBasics, resources } from './containers.ts';
import { credentialVariables, endpointOf, tokenMounts, tokenVolumes } from './credentials.ts';
import { HEALTH_PORT } from './labels.ts';
import { byteQuantity, durationFlag } from './quantities.ts';
import type { TargetSettings } from './settings/settings.ts';
import { type PodValues, WRITER_NOTES_BYTES, WRITER_TMP_BYTES } from './values.ts';

export const UPLOADER = 'ferry';
export const WRITER = 'writer';
const STATE_DIR = '/var/lib/ferry';
const SPILL_DIR = '/var/lib/ferry-spill';
const NOTES_DIR = '/var/ferry-notes';
/** 60 s for a first start: a state volume of a million files is read, and nothing else is waited for. */
const STARTUP = { every: 1, failures: 60, timeout: 2 };
/** A hung process; never S3, as a restart cures no outage. */
const LIVENESS = { every: 10, failures: 6, timeout: 5 };
const READINESS = { every: 10, failures: 3, timeout: 5 };

/** It outlives the pod: what the uploader could not send yet is sent by the next one. */
export function spillClaim({ name }: TargetSettings): string {
  return `${name}-spill`;
}

export function writerPod(settings: TargetSettings, values: PodValues): IPodSpec {
  return {
    ...podBasics(settings),
    serviceAccountName: settings.name,
    terminationGracePeriodSeconds: values.figures.gracePeriod.value,
    initContainers: [uploader(settings, values)],
    containers: [writer(settings, values)],
    volumes: volumes(settings, values),
  };
}

function uploader(settings: TargetSettings, values: PodValues): IContainer {
  const { figures } = values;
  return {
    name: UPLOADER,
    image: settings.image,
    imagePullPolicy: PULL_POLICY,
    restartPolicy: 'Always',
    args: uploaderArguments(settings, values),
    env: credentialVariables(settings, settings.roleArn),
    ports: [{ name: 'metrics', containerPort: HEALTH_PORT }],
    startupProbe: httpProbe('/livez', 'metrics', STARTUP),
    livenessProbe: httpProbe('/livez', 'metrics', LIVENESS),
    readinessProbe: httpProbe('/readyz', 'metrics', READINESS),
    resources: resources({
      cpuRequest: figures.cpuRequest.value,
      cpuLimit: figures.cpuLimit.value,
      memoryRequest: figures.memoryRequest.value,
      memoryLimit: figures.memoryLimit.value,
      ephemeralStorage: figures.uploaderEphemeralStorage.value,
    }),
    securityContext: locked(),
    volumeMounts: [
      { name: 'data', mountPath: settings.writerPath },
      { name: 'state', mountPath: STATE_DIR },
      ...(settings.spillSizeBytes === undefined ? [] : [{ name: 'spill', mountPath: SPILL_DIR }]),
      ...tokenMounts(settings),
    ],
  };
}

/** Where from and where to, as flags that `ferry files` and `ferry doctor` share. */
export function routeFlags(settings: TargetSettings): string[] {
  const to = ['s3:/', settings.bucket, ...(settings.prefix === undefined ? [] : [settings.prefix])].join('/');
  const endpoint = endpointOf(settings);
  return [
    `--source=${settings.writerPath}`,
    `--to=${to}`,
    `--region=${settings.region}`,
    ...(endpoint === undefined ? [] : [`--endpoint=${endpoint}`]),
    ...(settings.s3 === 'in-cluster' ? ['--path-style'] : []),
  ];
}

/** The command line of `ferry files`, one flag a line. */
function uploaderArguments(settings: TargetSettings, { plan, figures }: PodValues): string[] {
  const { inputs } = plan;
  return [
    'files',
    ...routeFlags(settings),
    `--state=${STATE_DIR}`,
    ...(settings.spillSizeBytes === undefined ? [] : [`--spill=${SPILL_DIR}`]),
    `--listen=0.0.0.0:${HEALTH_PORT}`,
    `--log-level=${settings.logLevel}`,
    `--retention=${durationFlag(inputs.retentionMs)}`,
    `--concurrency=${inputs.concurrency}`,
    `--volume-limit=${byteQuantity(figures.sizeLimit.value)}`,
    `--low-watermark=${inputs.lowWatermark}`,
    `--high-watermark=${inputs.highWatermark}`,
    `--critical-watermark=${inputs.criticalWatermark}`,
    `--drain=${figures.drain.value}s`,
    ...(settings.sse === 'none' ? [] : [`--sse=${settings.sse}`]),
    ...(settings.sseKmsKeyId === undefined ? [] : [`--sse-kms-key-id=${settings.sseKmsKeyId}`]),
    ...(settings.mayRead ? ['--may-read'] : []),
  ];
}

function writer(settings: TargetSettings, { plan, figures }: PodValues): IContainer {
  const { rate, sizeBytes, burst, burstSizeBytes } = plan.inputs;
  const standIn = settings.writerImage === undefined;
  return {
    name: WRITER,
    image: settings.writerImage ?? settings.image,
    imagePullPolicy: PULL_POLICY,
    ...(standIn
      ? {
          args: [
            'vendor-writer',
            `--dir=${settings.writerPath}`,
            `--manifest=${settings.writerNotes ? `${NOTES_DIR}/written.jsonl` : '/dev/null'}`,
            `--rate=${rate}`,
            `--size=${sizeBytes}`,
            `--burst=${burst}`,
            `--burst-size=${burstSizeBytes}`,
          ],
        }
      : {}),
    resources: resources({
      cpuRequest: settings.writerCpu,
      cpuLimit: settings.writerCpuLimit,
      memoryRequest: figures.writerMemory.value,
      memoryLimit: figures.writerMemory.value,
      ephemeralStorage: figures.writerEphemeralStorage.value,
    }),
    securityContext: locked(settings.writerReadOnlyRoot),
    volumeMounts: [
      { name: 'data', mountPath: settings.writerPath },
      { name: 'tmp', mountPath: '/tmp' },
      ...(settings.writerNotes ? [{ name: 'notes', mountPath: NOTES_DIR }] : []),
    ],
  };
}

function volumes(settings: TargetSettings, values: PodValues): IVolume[] {
  const onDisk = (name: string, bytes: number): IVolume => ({
    name,
    emptyDir: { sizeLimit: byteQuantity(bytes) },
  });
  return [
    sharedVolume(settings, values),
    onDisk('state', values.figures.stateSize.value),
    onDisk('tmp', WRITER_TMP_BYTES),
    ...(settings.spillSizeBytes === undefined
      ? []
      : [{ name: 'spill', persistentVolumeClaim: { claimName: spillClaim(settings) } }]),
    ...(settings.writerNotes ? [onDisk('notes', WRITER_NOTES_BYTES)] : []),
    ...tokenVolumes(settings),
  ];
}

/**
 * What it means when it is full. emptyDir: the kubelet evicts the whole pod. memory: the writer gets ENOSPC, and the
 * files are part of its memory limit. ephemeral: the writer gets ENOSPC where the storage class enforces the size.
 */
function sharedVolume(settings: TargetSettings, { plan, figures }: PodValues): IVolume {
  const sizeLimit = byteQuantity(figures.sizeLimit.value);
  switch (plan.inputs.volume) {
    case 'emptyDir':
      return { name: 'data', emptyDir: { sizeLimit } };
    case 'memory':
      return { name: 'data', emptyDir: { medium: 'Memory', sizeLimit } };
    case 'ephemeral':
      return {
        name: 'data',
        ephemeral: {
          volumeClaimTemplate: {
            spec: {
              accessModes: ['ReadWriteOnce'],
              ...(settings.volumeClass === undefined ? {} : { storageClassName: settings.volumeClass }),
              resources: { requests: { storage: byteQuantity(figures.claimSize.value) } },
            },
          },
        },
      };
  }
}
