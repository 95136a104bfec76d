// The rules of the restricted Pod Security standard, as one sentence for each that a pod breaks.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/
import { at, list } from './targets.ts';

const VOLUME_TYPES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const SECCOMP = ['RuntimeDefault', 'Localhost'];

/** Changes to the pod of the staging target, each of which breaks one rule. */
export const WEAKENINGS: readonly [path: readonly (string | number)[], value: unknown][] = [
  [['hostNetwork'], true],
  [['hostPID'], true],
  [['hostIPC'], true],
  [['securityContext', 'runAsUser'], 0],
  [['securityContext', 'sysctls'], [{ name: 'kernel.msgmax', value: '1' }]],
  [['volumes', 0], { name: 'data', hostPath: { path: '/' } }],
  [['containers', 0, 'securityContext', 'privileged'], true],
  [['containers', 0, 'securityContext', 'allowPrivilegeEscalation'], true],
  [['containers', 0, 'securityContext', 'capabilities'], { drop: ['NET_RAW'] }],
  [['containers', 0, 'securityContext', 'capabilities'], { drop: ['ALL'], add: ['SYS_ADMIN'] }],
  [['initContainers', 0, 'securityContext', 'runAsNonRoot'], false],
  [['initContainers', 0, 'securityContext', 'seccompProfile'], { type: 'Unconfined' }],
  [['initContainers', 0, 'ports', 0, 'hostPort'], 9464],
  [['initContainers', 0, 'securityContext', 'procMount'], 'Unmasked'],
];

/** A copy of the pod with this one change. */
export function weakened(spec: unknown, [path, value]: (typeof WEAKENINGS)[number]): unknown {
  const copy: unknown = structuredClone(spec);
  Reflect.set(Object(at(copy, path.slice(0, -1))), path.at(-1) ?? '', value);
  return copy;
}

/** @param spec of a pod, as it stands in the YAML. */
export function brokenRules(spec: unknown): string[] {
  const broken: string[] = [];
  const of = (...path: string[]) => at(spec, path);
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) if (of(field)) broken.push(`${field} is set`);
  if (of('hostUsers') === false) broken.push('hostUsers is off');
  if (list(of('securityContext', 'sysctls')).length > 0) broken.push('sysctls are set');
  for (const volume of list(of('volumes'))) {
    const [type, ...more] = Object.keys(Object(volume)).filter((key) => key !== 'name');
    if (type === undefined || more.length > 0 || !VOLUME_TYPES.includes(type))
      broken.push(`volume ${String(at(volume, ['name']))} is of type ${type}`);
  }
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((kind) =>
    list(of(kind)),
  );
  for (const container of containers) broken.push(...brokenByContainer(container, of('securityContext')));
  if (of('securityContext', 'runAsUser') === 0) broken.push('the pod runs as user 0');
  return broken;
}

function brokenByContainer(container: unknown, pod: unknown): string[] {
  const broken: string[] = [];
  const own = (...path: string[]) => at(container, ['securityContext', ...path]);
  const refuse = (what: string) => broken.push(`${String(at(container, ['name']))} ${what}`);
  if (own('privileged')) refuse('is privileged');
  if (own('allowPrivilegeEscalation') !== false) refuse('may gain privileges');
  if (!list(own('capabilities', 'drop')).includes('ALL')) refuse('keeps capabilities');
  if (list(own('capabilities', 'add')).some((name) => name !== 'NET_BIND_SERVICE'))
    refuse('adds capabilities');
  if ((own('runAsNonRoot') ?? at(pod, ['runAsNonRoot'])) !== true) refuse('may run as root');
  if (own('runAsUser') === 0) refuse('runs as user 0');
  const seccomp = own('seccompProfile', 'type') ?? at(pod, ['seccompProfile', 'type']);
  if (!SECCOMP.includes(String(seccomp))) refuse('has no seccomp profile');
  if (!['undefined', 'Default'].includes(String(own('procMount')))) refuse('sees an unmasked /proc');
  if (own('windowsOptions', 'hostProcess')) refuse('is a host process');
  if (list(at(container, ['ports'])).some((port) => Number(at(port, ['hostPort']) ?? 0) !== 0))
    refuse('takes a port of the host');
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    if (at(container, [probe, 'httpGet', 'host']) !== undefined) refuse(`probes another host (${probe})`);
  return broken;
}
