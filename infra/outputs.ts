// What a person needs next, as commands that can be pasted.
import { HEALTH_PORT } from '../manifests/labels.ts';
import { byteQuantity } from '../manifests/quantities.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import { podValues } from '../manifests/values.ts';
import { routeFlags, UPLOADER } from '../manifests/writer-pod.ts';

/** The image's entry point: in a pod without a shell there is nothing else to run. A test compares with the Dockerfile. */
export const ENTRY_POINT = [
  '/nodejs/bin/node',
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
  '--no-parallel-scavenge',
  '--no-concurrent-recompilation',
  '--liftoff-only',
  '--no-icu-timezone-data',
  '--max-inlined-bytecode-size-cumulative=300',
  '/app/ferry.mjs',
];

export interface Commands {
  /** Leads to the page and the metrics on http://localhost:9464/. */
  readonly page: string;
  /** Asks from inside the pod, as its role, whether all is allowed that must be and nothing else. */
  readonly doctor: string;
}

export function commandsOf(settings: TargetSettings): Commands {
  const { namespace, name, kubeContext } = settings;
  const context = kubeContext === undefined ? [] : ['--context', kubeContext];
  const kubectl = ['kubectl', ...context, '-n', namespace];
  const pod = `deployment/${name}`;
  return {
    page: [...kubectl, 'port-forward', pod, HEALTH_PORT].join(' '),
    doctor: [
      ...[...kubectl, 'exec', pod, '-c', UPLOADER, '--'],
      ...[...ENTRY_POINT, 'doctor', ...routeFlags(settings)],
      `--volume-limit=${byteQuantity(podValues(settings).figures.sizeLimit.value)}`,
    ].join(' '),
  };
}
