// The way to the cluster as one small kubeconfig with one context: what else a person's file holds is of no concern to
// the stack's state.
import { dirname, resolve } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import * as z from 'zod';
import { FerryError } from '../app/core/errors.ts';

/** A kubeconfig file as it was read. */
export interface KubeconfigFile {
  readonly path: string;
  readonly text: string;
}

/** What EKS says of a cluster. */
export interface EksCluster {
  readonly name: string;
  readonly region: string;
  readonly endpoint: string;
  /** Base64 of its PEM. */
  readonly certificateAuthority: string;
}

const bag = z.record(z.string(), z.unknown());
const named = <K extends string>(key: K) =>
  z.array(z.looseObject({ name: z.string(), [key]: bag })).nullish();
const schema = z.looseObject({
  contexts: z
    .array(
      z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
    )
    .nullish(),
  clusters: named('cluster'),
  users: named('user'),
});

/** Paths in a kubeconfig start at its own folder. */
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/**
 * One context of several files, of which the first that names it wins, as kubectl has it.
 * @throws FerryError `config` when none does
 */
export function kubeconfigOf(files: readonly KubeconfigFile[], context: string): string {
  const parsed = files.map(({ path, text }) => ({ path, content: parse(path, text) }));
  const contexts = parsed.flatMap(({ content }) => content.contexts ?? []);
  const chosen = contexts.find(({ name }) => name === context);
  if (chosen === undefined)
    throw new FerryError(
      'config',
      `There is no context ${context} in ${files.map(({ path }) => path).join(', ') || 'any kubeconfig'}: ${contexts.length === 0 ? 'it holds none' : `it holds ${contexts.map(({ name }) => name).join(', ')}`}.`,
      'ferry:kube-context must name a context that `kubectl config get-contexts` shows.',
    );
  const { cluster, user } = chosen.context;
  const pick = (list: 'clusters' | 'users', key: 'cluster' | 'user', name: string) => {
    for (const { path, content } of parsed)
      for (const one of content[list] ?? [])
        if (one.name === name) return { name, [key]: withAbsolutePaths(dirname(path), bag.parse(one[key])) };
    throw new FerryError(
      'config',
      `The context ${context} speaks of the ${key} ${name}, which no kubeconfig holds.`,
      'Mend the kubeconfig: `kubectl --context NAME get namespaces` must work.',
    );
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    contexts: [chosen],
    clusters: [pick('clusters', 'cluster', cluster)],
    users: [pick('users', 'user', user)],
  });
}

/** Who runs `pulumi` is known to AWS, and the AWS command line turns that into a token for this cluster. */
export function eksKubeconfig({ name, region, endpoint, certificateAuthority }: EksCluster): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: endpoint, 'certificate-authority-data': certificateAuthority } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: 'aws',
            args: ['eks', 'get-token', '--cluster-name', name, '--region', region, '--output', 'json'],
            interactiveMode: 'Never',
          },
        },
      },
    ],
  });
}

function parse(path: string, text: string): z.output<typeof schema> {
  const document = parseDocument(text, { prettyErrors: false });
  const result = schema.safeParse(document.errors.length > 0 ? undefined : (document.toJS() ?? {}));
  if (result.success) return result.data;
  throw new FerryError(
    'config',
    `${path} is no kubeconfig.`,
    '`kubectl config view` says what is wrong with it; KUBECONFIG names other files.',
  );
}

function withAbsolutePaths(folder: string, entry: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      key,
      PATHS.includes(key) && typeof value === 'string' ? resolve(folder, value) : value,
    ]),
  );
}
