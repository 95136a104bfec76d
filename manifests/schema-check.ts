// Checks a document against the Kubernetes schema without a cluster, unknown fields included. The validators come from
// kubernetes-models, which are generated from the published OpenAPI document and pass unknown fields over; so each
// object is handed over under watch, and a key that no validator ever asked for is one that the schema does not know.
import * as z from 'zod';
import { messageOf } from '../app/core/errors.ts';

/** What kubernetes-models exports of each kind. */
interface Validator {
  (data: unknown): boolean;
  readonly errors?:
    | readonly {
        readonly instancePath: string;
        readonly keyword: string;
        readonly params: Readonly<Record<string, unknown>>;
      }[]
    | null;
}

/** Schema names of the kinds that are made here; another kind is refused until it is named. */
const KINDS: Readonly<Record<string, string>> = {
  'v1 Namespace': 'IoK8sApiCoreV1Namespace',
  'v1 ServiceAccount': 'IoK8sApiCoreV1ServiceAccount',
  'v1 Service': 'IoK8sApiCoreV1Service',
  'v1 Secret': 'IoK8sApiCoreV1Secret',
  'v1 ConfigMap': 'IoK8sApiCoreV1ConfigMap',
  'v1 PersistentVolumeClaim': 'IoK8sApiCoreV1PersistentVolumeClaim',
  'v1 Pod': 'IoK8sApiCoreV1Pod',
  'apps/v1 Deployment': 'IoK8sApiAppsV1Deployment',
  'batch/v1 CronJob': 'IoK8sApiBatchV1CronJob',
  'batch/v1 Job': 'IoK8sApiBatchV1Job',
  'policy/v1 PodDisruptionBudget': 'IoK8sApiPolicyV1PodDisruptionBudget',
  'networking.k8s.io/v1 NetworkPolicy': 'IoK8sApiNetworkingV1NetworkPolicy',
};

const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()),
});

const selector = z.strictObject({ matchLabels: z.record(z.string(), z.string()) });
const endpoint = z.strictObject({
  port: z.string(),
  path: z.string(),
  interval: z.string(),
  scrapeTimeout: z.string(),
});

/**
 * Prometheus Operator's kinds are no part of Kubernetes: their subset that is used here, written from its API
 * reference. A field beyond it is refused too.
 */
const CUSTOM: Readonly<Record<string, z.ZodType>> = {
  'monitoring.coreos.com/v1 ServiceMonitor': z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata,
    spec: z.strictObject({ selector, endpoints: z.array(endpoint) }),
  }),
  'monitoring.coreos.com/v1 PodMonitor': z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata,
    spec: z.strictObject({ selector, podMetricsEndpoints: z.array(endpoint) }),
  }),
  'monitoring.coreos.com/v1 PrometheusRule': z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata,
    spec: z.strictObject({
      groups: z.array(
        z.strictObject({
          name: z.string(),
          rules: z.array(
            z.strictObject({
              alert: z.string(),
              expr: z.string(),
              for: z.string(),
              labels: z.record(z.string(), z.string()),
              annotations: z.record(z.string(), z.string()),
            }),
          ),
        }),
      ),
    }),
  }),
};

/** One sentence for each thing that the schema refuses. */
export async function schemaProblems(document: unknown): Promise<string[]> {
  const { apiVersion, kind, name, namespace } = headOf(document);
  const type = `${apiVersion} ${kind}`;
  const where = `${kind} ${name}`;
  const custom = CUSTOM[type];
  if (custom !== undefined) {
    const result = custom.safeParse(document);
    return (result.error?.issues ?? []).map(
      ({ path, message }) => `${where}: /${path.join('/')}: ${message}.`,
    );
  }
  const schema = KINDS[type];
  if (schema === undefined) return [`${where}: there is no schema for ${type}; name it in schema-check.ts.`];
  const validate = await validatorOf(schema);
  if (typeof validate === 'string') return [validate];
  const watched: Watched[] = [];
  const valid = validate(watch(document, '', watched));
  const wrong = (validate.errors ?? []).map(
    ({ instancePath, keyword, params }) => `${where}: ${instancePath || '/'} ${inWords(keyword, params)}.`,
  );
  if (!valid && wrong.length === 0) wrong.push(`${where}: is refused without a reason.`);
  const unknown = watched.flatMap(({ pointer, value, asked }) =>
    Object.keys(value)
      .filter((key) => !asked.has(key))
      .map((key) => `${where}: ${pointer}/${key} is unknown to Kubernetes.`),
  );
  const inNamespace = namespace !== undefined;
  const misplaced =
    inNamespace === (kind === 'Namespace')
      ? [`${where}: ${inNamespace ? 'is in a namespace, and its kind is in none' : 'is in no namespace'}.`]
      : [];
  return [...wrong, ...unknown, ...misplaced];
}

/** The validators give a keyword of JSON Schema and what it asks for. */
function inWords(keyword: string, params: Readonly<Record<string, unknown>>): string {
  switch (keyword) {
    case 'type':
      return `must be of type ${String(params.type)}`;
    case 'format':
      return `is no ${String(params.format)}`;
    case 'required':
      return `lacks ${String(params.missingProperty)}`;
    case 'enum':
      return `is none of ${String(params.allowedValues)}`;
    default:
      return `breaks "${keyword}" ${JSON.stringify(params)}`;
  }
}

async function validatorOf(schema: string): Promise<Validator | string> {
  try {
    const module: { validate: Validator } = await import(`kubernetes-models/_schemas/${schema}`);
    return module.validate;
  } catch (error) {
    return `The Kubernetes schema ${schema} cannot be loaded: ${messageOf(error)}. Run npm ci with development dependencies.`;
  }
}

const head = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});

function headOf(document: unknown) {
  const result = head.safeParse(document);
  if (!result.success) return { apiVersion: '?', kind: '?', name: '?', namespace: undefined };
  const { apiVersion, kind, metadata } = result.data;
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

interface Watched {
  readonly pointer: string;
  readonly value: object;
  readonly asked: Set<string>;
}

/** The same value, noting which keys of which objects are asked for. */
function watch(value: unknown, pointer: string, watched: Watched[]): unknown {
  if (value === null || typeof value !== 'object') return value;
  const asked = new Set<string>();
  watched.push({ pointer, value, asked });
  const inner = new Map<string, unknown>();
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return found;
      asked.add(key);
      if (Array.isArray(target) && key === 'length') return found;
      if (!inner.has(key)) inner.set(key, watch(found, `${pointer}/${key}`, watched));
      return inner.get(key);
    },
  });
}
