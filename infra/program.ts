// The whole deployment of one target: what is made in the account, then the namespace, then what runs in it. Everything
// is checked before the first resource is declared, so that a refused target changes nothing.
import type { Input } from '@pulumi/pulumi';
import type { TargetEvents } from '../manifests/events/read.ts';
import type { Manifest } from '../manifests/guard.ts';
import type { S3Keys } from '../manifests/s3.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import { documentsOf, synthesize } from '../manifests/synth.ts';
import { type Target, targetCharts } from '../manifests/target.ts';
import { deafProvider, wayToCluster } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { commandsOf } from './outputs.ts';
import { Workload } from './workload.ts';

export interface Around {
  /** Keys of the S3 server in the cluster; called only when there is one. */
  readonly keys: () => S3Keys;
  /** Asks neither AWS nor a cluster: for a preview without either. */
  readonly offline: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Outputs {
  readonly bucket: Input<string>;
  /** `none` with an S3 server in the cluster. */
  readonly roleArn: Input<string>;
  readonly namespace: string;
  readonly page: string;
  readonly doctor: string;
}

/** @throws FerryError before anything is made. */
export async function deploy(
  stack: string,
  settings: TargetSettings,
  events: TargetEvents | undefined,
  around: Around,
): Promise<Outputs> {
  const charts = targetCharts(stack, settings, around.keys, events);
  const [namespaceObjects, workloadObjects] = await objectsOf(charts);
  const plan =
    settings.s3 === 'aws'
      ? await (await import('./cloud.ts')).planCloud(stack, settings, events, around.offline)
      : undefined;
  const lead = around.offline ? deafProvider : wayToCluster(settings.kubeContext, plan?.cluster, around.env);

  const cloud = plan?.make();
  const provider = lead();
  const namespace = new Namespace(settings.namespace, { objects: namespaceObjects }, { provider });
  new Workload(
    settings.name,
    { objects: workloadObjects, wait: settings.wait, after: [namespace, ...(cloud?.resources ?? [])] },
    { provider },
  );
  return {
    bucket: cloud?.bucket ?? settings.bucket,
    roleArn: cloud?.roleArn ?? 'none',
    namespace: settings.namespace,
    ...commandsOf(settings),
  };
}

/** Read back from the YAML texts that `npm run synth` writes. */
async function objectsOf(target: Target): Promise<[namespace: Manifest[], workload: Manifest[]]> {
  const files = await synthesize(target);
  const parts: [Manifest[], Manifest[]] = [[], []];
  // The schema check of the synthesis has seen every one of them.
  for (const [file, text] of files)
    parts[file === '0-namespace.yaml' ? 0 : 1].push(...(documentsOf(text) as Manifest[]));
  return parts;
}
