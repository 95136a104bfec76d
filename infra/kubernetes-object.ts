// One object of a chart as a resource of the Kubernetes provider, exactly as `npm run synth` would write it, and what
// must be there before it.
import { createRequire } from 'node:module';
import { CustomResource, type CustomResourceOptions, secret } from '@pulumi/pulumi';
import type { Manifest } from '../manifests/guard.ts';

/** The plug-in that the lock file's package belongs to. */
const { version }: { version: string } = createRequire(import.meta.url)('@pulumi/kubernetes/package.json');

const SECRET_FIELDS = ['data', 'stringData'] as const;
/** Done as soon as the cluster has them; anything else may be waited for. */
const AT_ONCE: ReadonlySet<string> = new Set(['ConfigMap', 'NetworkPolicy', 'Secret', 'ServiceAccount']);
const RUNS_PODS: ReadonlySet<string> = new Set([
  'CronJob',
  'DaemonSet',
  'Deployment',
  'Job',
  'Pod',
  'StatefulSet',
]);
/** They end when their work does, which may take days. */
const NEVER_WAITED_FOR: ReadonlySet<string> = new Set(['Job']);
/** https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/#pulumi-kubernetes-annotations */
const DO_NOT_WAIT = { 'pulumi.com/skipAwait': 'true' };

class KubernetesObject extends CustomResource {}

/** Whether this object must wait for the other: pods for what they are started with. */
export function comesAfter(object: Manifest, other: Manifest): boolean {
  return RUNS_PODS.has(object.kind) && AT_ONCE.has(other.kind);
}

/** The same objects, each after those it must wait for. */
export function inOrder(objects: readonly Manifest[]): Manifest[] {
  const [late, early] = [true, false].map((runs) =>
    objects.filter(({ kind }) => RUNS_PODS.has(kind) === runs),
  );
  return [...(early ?? []), ...(late ?? [])];
}

/** `apps/v1` Deployment -> `kubernetes:apps/v1:Deployment`; the group without a name is called core. */
export function resourceType({ apiVersion, kind }: Manifest): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** @param wait until what the object starts is running; the annotation that says otherwise is the only addition. */
export function kubernetesObject(
  manifest: Manifest,
  wait: boolean,
  opts: CustomResourceOptions,
): CustomResource {
  const name = manifest.metadata?.name;
  if (name === undefined) throw new TypeError(`a ${manifest.kind} without a name`);
  const properties: Record<string, unknown> = { ...manifest };
  for (const field of SECRET_FIELDS)
    if (manifest.kind === 'Secret' && properties[field] !== undefined)
      properties[field] = secret(properties[field]);
  if ((!wait && !AT_ONCE.has(manifest.kind)) || NEVER_WAITED_FOR.has(manifest.kind))
    properties.metadata = withAnnotations(manifest.metadata, DO_NOT_WAIT);
  return new KubernetesObject(resourceType(manifest), name, properties, { version, ...opts });
}

function withAnnotations(metadata: object | undefined, more: Readonly<Record<string, string>>): object {
  const before: unknown = metadata && 'annotations' in metadata ? metadata.annotations : undefined;
  return { ...metadata, annotations: { ...(typeof before === 'object' ? before : {}), ...more } };
}
