// Every way a deployed pod, its namespace or a job may become worse, made by machine from the delivered YAML.
import { drop, get, type Path, put, set, type Weakening } from '../mutation.ts';

export function podWeakenings(documents: readonly unknown[]): Weakening[] {
  const place = (kind: string, name?: string): number => {
    const found = documents.findIndex(
      (each) =>
        get(each, ['kind']) === kind && (name === undefined || get(each, ['metadata', 'name']) === name),
    );
    if (found < 0) throw new Error(`There is no ${kind} ${name ?? ''}.`);
    return found;
  };
  const deployment = place('Deployment');
  const pod: Path = [deployment, 'spec', 'template', 'spec'];
  const template: Path = [deployment, 'spec', 'template'];
  const uploader: Path = [...pod, 'initContainers', 0];
  const account = place('ServiceAccount');
  const namespace = place('Namespace');
  const closed = place('NetworkPolicy', 'deny-all');
  const open = place('NetworkPolicy', 'file-writer');
  const job = place('CronJob');
  const containers: [string, Path][] = [
    ['uploader', uploader],
    ['writer', [...pod, 'containers', 0]],
  ];
  const backfill = place('Job');
  const backfillPod: Path = [backfill, 'spec', 'template', 'spec'];
  const disruption = get(documents, [backfill, 'spec', 'podFailurePolicy', 'rules', 0]);
  const jobPod: Path = [job, 'spec', 'jobTemplate', 'spec', 'template', 'spec'];
  return [
    ...containers.flatMap(([name, path]) => containerWeakenings(name, path, ['one-owner'])),
    ...containerWeakenings('events', [...jobPod, 'containers', 0], []),
    ...containerWeakenings('backfill', [...backfillPod, 'containers', 0], []),
    ...[
      [backfill, 'spec', 'podFailurePolicy'],
      [backfill, 'spec', 'podFailurePolicy', 'rules', 0],
      [backfill, 'spec', 'backoffLimitPerIndex'],
      [...backfillPod, 'restartPolicy'],
    ].map((path) => drop('backfill', path, 'job-failures')),
    set('backfill exit codes', [backfill, 'spec', 'podFailurePolicy', 'rules'], [disruption], 'job-failures'),
    set('backfill restarts', [...backfillPod, 'restartPolicy'], 'OnFailure', 'job-failures'),
    set('backfill account', [...backfillPod, 'serviceAccountName'], 'default', 'own-service-account'),
    set('backfill network', [...backfillPod, 'hostNetwork'], true, 'host-access'),
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).map((field) =>
      set(`events ${field}`, [...jobPod, field], true, 'host-access'),
    ),
    drop('events automount', [...jobPod, 'automountServiceAccountToken'], 'no-cluster-token'),
    drop('events account', [...jobPod, 'serviceAccountName'], 'own-service-account'),
    set(
      "the writer's account for events",
      [...jobPod, 'serviceAccountName'],
      'file-writer',
      'own-service-account',
    ),
    drop('events state', [...jobPod, 'volumes', 1, 'emptyDir', 'sizeLimit'], 'volume-size-limits'),
    set('events state', [...jobPod, 'volumes', 1, 'emptyDir', 'sizeLimit'], '64Gi', 'ephemeral-storage-sum'),
    drop(
      'events metadata service',
      [place('NetworkPolicy', 'ferry-events'), 'spec', 'egress', 1, 'to', 0, 'ipBlock', 'except'],
      'network-closed',
    ),
    ...volumeWeakenings(documents, pod),
    ...argumentWeakenings(
      documents,
      uploader,
      Number(get(documents, [...pod, 'terminationGracePeriodSeconds'])),
    ),
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).map((field) =>
      set(field, [...pod, field], true, 'host-access'),
    ),
    // What ends before the writer starts lends it no room on the disk, too.
    drop('restartPolicy', [...uploader, 'restartPolicy'], 'native-sidecar', 'ephemeral-storage-sum'),
    set(
      'restartPolicy',
      [...uploader, 'restartPolicy'],
      'OnFailure',
      'native-sidecar',
      'ephemeral-storage-sum',
    ),
    {
      name: 'the uploader beside the writer',
      rules: ['native-sidecar'],
      weaken: (copy) => {
        put(copy, [...pod, 'containers', 1], get(copy, uploader));
        put(copy, uploader, undefined);
      },
    },
    set('liveness', [...uploader, 'livenessProbe', 'httpGet', 'path'], '/readyz', 'liveness-alone'),
    drop('liveness', [...uploader, 'livenessProbe'], 'liveness-alone'),
    drop('skip-containers', [...template, 'metadata', 'annotations'], 'credentials-in-one'),
    set(
      'skip-containers',
      [...template, 'metadata', 'annotations', 'eks.amazonaws.com/skip-containers'],
      'ferry',
      'credentials-in-one',
    ),
    ...['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_SESSION_NAME'].map((name) =>
      set(`writer ${name}`, [...pod, 'containers', 0, 'env'], [{ name, value: 'x' }], 'credentials-in-one'),
    ),
    set(
      'writer envFrom',
      [...pod, 'containers', 0, 'envFrom'],
      [{ secretRef: { name: 'ferry-s3' } }],
      'credentials-in-one',
    ),
    drop('automount', [...pod, 'automountServiceAccountToken'], 'no-cluster-token'),
    set('automount', [...pod, 'automountServiceAccountToken'], true, 'no-cluster-token'),
    drop('account', [...pod, 'serviceAccountName'], 'own-service-account'),
    set('account', [...pod, 'serviceAccountName'], 'default', 'own-service-account'),
    set('account', [...pod, 'serviceAccountName'], 'other', 'own-service-account'),
    set('namespace of the account', [account, 'metadata', 'namespace'], 'other', 'own-service-account'),
    drop('the account itself', [account], 'own-service-account'),
    drop('user of the pod', [...pod, 'securityContext', 'runAsUser'], 'one-owner'),
    drop('fsGroup', [...pod, 'securityContext', 'fsGroup'], 'one-owner'),
    set('user of the writer', [...pod, 'containers', 0, 'securityContext', 'runAsUser'], 1000, 'one-owner'),
    set('replicas', [deployment, 'spec', 'replicas'], 2, 'one-writer'),
    set('strategy', [deployment, 'spec', 'strategy', 'type'], 'RollingUpdate', 'one-writer'),
    set('grace', [...pod, 'terminationGracePeriodSeconds'], 10, 'drain-in-grace'),
    ...[10, 3_599].map((seconds) =>
      set('deadline', [job, 'spec', 'startingDeadlineSeconds'], seconds, 'cronjob-deadline'),
    ),
    drop('zone', [job, 'spec', 'timeZone'], 'cronjob-deadline'),
    drop('deadline', [job, 'spec', 'startingDeadlineSeconds'], 'cronjob-deadline'),
    set('concurrency', [job, 'spec', 'concurrencyPolicy'], 'Allow', 'cronjob-deadline'),
    ...['baseline', 'privileged'].map((level) =>
      set(
        'namespace',
        [namespace, 'metadata', 'labels', 'pod-security.kubernetes.io/enforce'],
        level,
        'namespace-restricted',
      ),
    ),
    drop('labels of the namespace', [namespace, 'metadata', 'labels'], 'namespace-restricted'),
    drop('deny-all', [closed], 'network-closed'),
    set('deny-all', [closed, 'spec', 'podSelector'], { matchLabels: { app: 'x' } }, 'network-closed'),
    set('deny-all', [closed, 'spec', 'policyTypes'], ['Ingress'], 'network-closed'),
    set('deny-all', [closed, 'spec', 'egress'], [{}], 'network-closed'),
    drop('metadata service', [open, 'spec', 'egress', 1, 'to', 0, 'ipBlock', 'except'], 'network-closed'),
    set(
      'network',
      [open, 'spec', 'egress', 1, 'to', 0, 'ipBlock'],
      { cidr: '169.254.0.0/16' },
      'network-closed',
    ),
    {
      name: 'a Secret',
      rules: ['no-secret'],
      weaken: (copy) =>
        put(copy, [documents.length], { kind: 'Secret', metadata: { name: 's' }, data: { key: 'c2VjcmV0' } }),
    },
  ];
}

/** @param userRules what another user in this container breaks beside being root */
function containerWeakenings(name: string, path: Path, userRules: readonly string[]): Weakening[] {
  const own: Path = [...path, 'securityContext'];
  return [
    set(`${name} privileged`, [...own, 'privileged'], true, 'privilege'),
    set(`${name} escalation`, [...own, 'allowPrivilegeEscalation'], true, 'privilege'),
    drop(`${name} escalation`, [...own, 'allowPrivilegeEscalation'], 'privilege'),
    drop(`${name} capabilities`, [...own, 'capabilities'], 'capabilities'),
    set(`${name} drop`, [...own, 'capabilities', 'drop'], ['NET_RAW'], 'capabilities'),
    ...['SYS_ADMIN', 'NET_ADMIN', 'NET_BIND_SERVICE'].map((added) =>
      set(`${name} add`, [...own, 'capabilities', 'add'], [added], 'capabilities'),
    ),
    set(`${name} non-root`, [...own, 'runAsNonRoot'], false, 'non-root'),
    set(`${name} user`, [...own, 'runAsUser'], 0, 'non-root', ...userRules),
    set(`${name} seccomp`, [...own, 'seccompProfile', 'type'], 'Unconfined', 'seccomp'),
    set(`${name} ports`, [...path, 'ports'], [{ containerPort: 9464, hostPort: 9464 }], 'host-access'),
    set(`${name} root`, [...own, 'readOnlyRootFilesystem'], false, 'read-only-root'),
    drop(`${name} root`, [...own, 'readOnlyRootFilesystem'], 'read-only-root'),
    ...['limits', 'requests'].flatMap((kind) =>
      ['cpu', 'memory', 'ephemeral-storage'].map((what) =>
        drop(`${name} ${kind} ${what}`, [...path, 'resources', kind, what], 'resource-caps'),
      ),
    ),
    drop(`${name} resources`, [...path, 'resources'], 'resource-caps'),
    set(
      `${name} disk`,
      [...path, 'resources', 'limits', 'ephemeral-storage'],
      '64Mi',
      'ephemeral-storage-sum',
    ),
    ...['registry.example.com/ferry:1.0', 'registry.example.com/ferry:latest', 'ferry'].map((image) =>
      set(`${name} image`, [...path, 'image'], image, 'image-pinned'),
    ),
    ...[
      { name: 'DB_PASSWORD', value: 'hunter2' },
      { name: 'API_KEY', value: 'abc' },
      { name: 'PLAIN', value: 'AKIAABCDEFGHIJKLMNOP' },
      { name: 'PROXY', value: 'http://user:word@proxy:3128' },
    ].map((variable) => set(`${name} variable`, [...path, 'env'], [variable], 'no-secret')),
  ];
}

function volumeWeakenings(documents: readonly unknown[], pod: Path): Weakening[] {
  const volumes = get(documents, [...pod, 'volumes']);
  if (!Array.isArray(volumes)) throw new Error('The pod has no volumes.');
  return volumes.flatMap((volume, index): Weakening[] => {
    const path: Path = [...pod, 'volumes', index];
    const name = String(get(volume, ['name']));
    return [
      drop(`volume ${name}`, [...path, 'emptyDir', 'sizeLimit'], 'volume-size-limits'),
      set(`volume ${name}`, [...path, 'emptyDir', 'sizeLimit'], '64Gi', 'ephemeral-storage-sum'),
      set(`volume ${name}`, path, { name, hostPath: { path: '/var' } }, 'host-access'),
      ...(name === 'data'
        ? [set(`volume ${name}`, [...path, 'emptyDir', 'sizeLimit'], '64Mi', 'watermarks')]
        : []),
    ];
  });
}

function argumentWeakenings(
  documents: readonly unknown[],
  uploader: Path,
  graceSeconds: number,
): Weakening[] {
  const args = get(documents, [...uploader, 'args']);
  if (!Array.isArray(args)) throw new Error('The uploader has no arguments.');
  const other = (flag: string, value: string, rule: string): Weakening => {
    const index = args.findIndex((arg) => String(arg).startsWith(`--${flag}=`));
    return set(`--${flag}`, [...uploader, 'args', index], `--${flag}=${value}`, rule);
  };
  const without = (flag: string, rule: string): Weakening =>
    drop(
      `--${flag}`,
      [...uploader, 'args', args.findIndex((arg) => String(arg).startsWith(`--${flag}=`))],
      rule,
    );
  return [
    other('volume-limit', '64Gi', 'watermarks'),
    without('volume-limit', 'watermarks'),
    other('low-watermark', '0.9', 'watermarks'),
    other('high-watermark', '0.99', 'watermarks'),
    other('critical-watermark', '1', 'watermarks'),
    other('critical-watermark', '1.2', 'watermarks'),
    without('high-watermark', 'watermarks'),
    other('source', '/elsewhere', 'watermarks'),
    other('drain', `${graceSeconds}s`, 'drain-in-grace'),
    other('drain', '10m', 'drain-in-grace'),
    without('drain', 'drain-in-grace'),
    set(
      '--endpoint',
      [...uploader, 'args', args.length],
      '--endpoint=https://user:word@s3.example.com',
      'no-secret',
    ),
  ];
}
