// Kubernetes objects as the YAML has them, as far as rules look at them, and rules about pods.

import { z } from 'zod';
import { QUANTITY_BYTES } from '../../app/core/units.ts';
import type { Found, Rule, RuleText } from './rule.ts';

const quantities = z.record(z.string(), z.union([z.string(), z.number()])).optional();
const security = z.looseObject({
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  fsGroup: z.number().optional(),
  capabilities: z
    .object({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() })
    .optional(),
  seccompProfile: z.object({ type: z.string() }).optional(),
});
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.looseObject({}).optional(),
      }),
    )
    .default([]),
  envFrom: z.array(z.looseObject({})).default([]),
  ports: z.array(z.looseObject({ hostPort: z.number().optional() })).default([]),
  resources: z.object({ limits: quantities, requests: quantities }).default({}),
  restartPolicy: z.string().optional(),
  securityContext: security.default({}),
  livenessProbe: z.looseObject({ httpGet: z.looseObject({ path: z.string() }).optional() }).optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});
const podSpec = z.looseObject({
  containers: z.array(container),
  initContainers: z.array(container).default([]),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
  securityContext: security.default({}),
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  terminationGracePeriodSeconds: z.number().default(30),
});
const template = z.looseObject({
  metadata: z
    .looseObject({
      annotations: z.record(z.string(), z.string()).default({}),
      labels: z.record(z.string(), z.string()).default({}),
    })
    .default({ annotations: {}, labels: {} }),
  spec: podSpec,
});
const object = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.looseObject({}).optional(),
});

export type Container = z.infer<typeof container>;
export type PodSpec = z.infer<typeof podSpec>;
export type KubeObject = z.infer<typeof object>;

/** Everything one target's YAML files hold. */
export interface Manifests {
  readonly target: string;
  readonly objects: readonly KubeObject[];
}

export interface Pod {
  /** `staging/Deployment/file-writer` */
  readonly object: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  /** Init containers and the others. */
  readonly containers: readonly Container[];
  readonly manifests: Manifests;
}

/** @throws ZodError for what is no Kubernetes object. */
export function readManifests(target: string, documents: readonly unknown[]): Manifests {
  return { target, objects: documents.map((document) => object.parse(document)) };
}

export function nameOf({ target }: Manifests, { kind, metadata }: KubeObject): string {
  return `${target}/${kind}/${metadata.name}`;
}

export function podsOf(manifests: Manifests): Pod[] {
  return manifests.objects.flatMap((each) => {
    const found = templateOf(each);
    if (found === undefined) return [];
    const { metadata, spec } = template.parse(found);
    return [
      {
        object: nameOf(manifests, each),
        namespace: each.metadata.namespace ?? 'default',
        labels: metadata.labels,
        annotations: metadata.annotations,
        spec,
        containers: [...spec.initContainers, ...spec.containers],
        manifests,
      },
    ];
  });
}

function templateOf({ kind, metadata, spec = {} }: KubeObject): unknown {
  if (kind === 'Pod') return { metadata, spec };
  if (kind === 'CronJob') return at(spec, 'jobTemplate', 'spec', 'template');
  return at(spec, 'template', 'spec', 'containers') === undefined ? undefined : at(spec, 'template');
}

export function podRule(text: RuleText, check: (pod: Pod) => string[]): Rule<Manifests> {
  return {
    ...text,
    check: (manifests) =>
      podsOf(manifests).flatMap((pod) => check(pod).map((what): Found => ({ object: pod.object, what }))),
  };
}

/** The container that runs `ferry files`, and a flag of it. */
export function uploaderOf(pod: Pod): Container | undefined {
  return pod.containers.find(({ args }) => args[0] === 'files');
}

/** The settings of `ferry events` in their ConfigMap. */
export const EVENTS_FILE = 'events.yaml';

/** The text of a file in a ConfigMap. */
export function fileIn({ objects }: Manifests, configMap: string, file: string): string | undefined {
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMap);
  const text = at(map, 'data', file);
  return typeof text === 'string' ? text : undefined;
}

/** The container that moves data as the pod's role, whatever it moves. */
export function moverOf(pod: Pod): Container | undefined {
  return uploaderOf(pod) ?? pod.containers.find(({ args }) => args[0] === 'events');
}

export function flagOf(uploader: Container, name: string): string | undefined {
  return uploader.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** The value at a path of plain objects. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Reflect.get(found, name);
  }
  return found;
}

/** "64Mi" -> bytes; undefined for what is no quantity of bytes. */
export function quantityBytes(value: unknown): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMGT]i?|Ki)?$/.exec(String(value)) ?? [];
  const factor = QUANTITY_BYTES[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}
