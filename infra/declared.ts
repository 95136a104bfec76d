// What a Pulumi program declares, as plain objects: run by Pulumi's own library, with an engine that only takes notes.
// Nothing is asked of AWS, of a cluster or of Pulumi's command line, so that rules and tests can look at the real thing.
import { type CustomResourceOptions, type Resource, runtime } from '@pulumi/pulumi';
import { type MockResourceArgs, setMocks } from '@pulumi/pulumi/runtime/mocks.js';
import { disconnect } from '@pulumi/pulumi/runtime/settings.js';
import type { TargetEvents } from '../manifests/events/read.ts';
import { NO_KEYS } from '../manifests/s3-keys.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import { deploy } from './program.ts';

/** A resource as it would be declared. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** What it says it waits for, as `type name`. */
  readonly dependsOn: readonly string[];
}

/**
 * All that `pulumi up` would make for a target, from nothing; secrets are plain, and nobody's.
 * @throws FerryError as `deploy` does, for settings that it refuses
 */
export async function declaredFor(
  stack: string,
  settings: TargetSettings,
  events: TargetEvents | undefined,
): Promise<Declared[]> {
  const around = { keys: () => NO_KEYS, offline: true, env: {} };
  const all = await declaredBy(() => deploy(stack, settings, events, around));
  return all.map((one) => ({ ...one, inputs: plain(one.inputs) }));
}

/**
 * What `create` declares, components themselves left out, in the order of declaration; secrets keep their mark. One call
 * at a time.
 */
export async function declaredBy(create: () => unknown): Promise<Declared[]> {
  const inputs = new Map<string, MockResourceArgs['inputs']>();
  await setMocks({
    call: ({ token }) => {
      throw new Error(`asked for ${token}`);
    },
    newResource: (args) => {
      inputs.set(`${args.type} ${args.name}`, args.inputs);
      return { id: `${args.name}-id`, state: { arn: `arn:of:${args.name}`, ...args.inputs } };
    },
  });
  const names = new Map<Resource, string>();
  const seen: { type: string; name: string; opts: CustomResourceOptions }[] = [];
  await runtime.runInPulumiStack(async () => {
    runtime.registerStackTransformation(({ resource, type, name, opts }) => {
      names.set(resource, `${type} ${name}`);
      seen.push({ type, name, opts });
      return undefined;
    });
    await create();
  });
  await disconnect();
  return seen
    .filter(({ type }) => !type.startsWith('ferry:'))
    .map(({ type, name, opts }) => ({
      type,
      name,
      inputs: inputs.get(`${type} ${name}`) ?? {},
      protect: opts.protect ?? false,
      dependsOn: [opts.dependsOn ?? []]
        .flat()
        .map((one) => [...names].find(([resource]) => resource === one)?.[1] ?? 'something else'),
    }));
}

/** How Pulumi's library marks a secret for its engine: https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts */
const MARK = '4dabf18193072939515e22adb298388d';

/** Without the marks of secrets. */
function plain<Value>(value: Value): Value {
  // The shape stays; only marked values change places with what they mark.
  return JSON.parse(JSON.stringify(value), (_, each) =>
    typeof each === 'object' && each !== null && MARK in each ? each.value : each,
  ) as Value;
}
