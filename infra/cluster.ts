// The Kubernetes provider of the stack: it leads to the one cluster that the settings name, whatever the kubeconfig's
// current context happens to be.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { secret } from '@pulumi/pulumi';
import { errnoOf, FerryError, messageOf } from '../app/core/errors.ts';
import { type EksCluster, eksKubeconfig, type KubeconfigFile, kubeconfigOf } from './kubeconfig.ts';

/**
 * Answers what declares the provider, once it is known that there is a way.
 * @throws FerryError `config` when no kubeconfig leads there
 */
export function wayToCluster(
  context: string | undefined,
  cluster: EksCluster | undefined,
  env: Readonly<Record<string, string | undefined>>,
): () => Provider {
  if (context !== undefined) {
    const kubeconfig = kubeconfigOf(kubeconfigFiles(env), context);
    return () => provider(kubeconfig, context);
  }
  if (cluster !== undefined) return () => provider(eksKubeconfig(cluster), cluster.endpoint);
  throw new FerryError(
    'config',
    'Nothing leads to the cluster.',
    'Write ferry:kube-context, e.g. "ferry:kube-context: minikube".',
  );
}

/** Writes what it is given into a folder instead of a cluster, and in a preview not even that. */
export function deafProvider(): Provider {
  // The empty text keeps KUBECONFIG out, which the provider would take and then refuse beside a folder.
  return new Provider('offline', { renderYamlToDirectory: '.ferry/offline', kubeconfig: '' });
}

/** The identifier says which cluster this is: another address or certificate of it is no other cluster. */
function provider(kubeconfig: string, clusterIdentifier: string): Provider {
  return new Provider('cluster', { kubeconfig: secret(kubeconfig), clusterIdentifier });
}

function kubeconfigFiles(env: Readonly<Record<string, string | undefined>>): KubeconfigFile[] {
  const paths = (env.KUBECONFIG || join(homedir(), '.kube/config')).split(delimiter);
  return paths.flatMap((path) => {
    if (path === '') return [];
    try {
      return [{ path, text: readFileSync(path, 'utf8') }];
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw new FerryError(
        'config',
        `${path} cannot be read: ${messageOf(error)}.`,
        'KUBECONFIG names other files.',
      );
    }
  });
}
