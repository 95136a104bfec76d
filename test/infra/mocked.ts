// Components without an engine: Pulumi's own mocks note what would be declared, and answer with the inputs.
import type {
  ComponentResource,
  ComponentResourceOptions,
  CustomResourceOptions,
  Resource,
  ResourceTransformation,
} from '@pulumi/pulumi';
import { type MockResourceArgs, setMocks } from '@pulumi/pulumi/runtime/mocks.js';
import { disconnect } from '@pulumi/pulumi/runtime/settings.js';

/** A resource as it would be declared. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** What it says it waits for, as `type name`. */
  readonly dependsOn: readonly string[];
}

/** What `create` declares, components themselves left out, in the order of declaration. */
export async function declaredBy(
  create: (opts: ComponentResourceOptions) => ComponentResource,
): Promise<Declared[]> {
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
  const note: ResourceTransformation = ({ resource, type, name, opts }) => {
    names.set(resource, `${type} ${name}`);
    seen.push({ type, name, opts });
    return undefined;
  };
  create({ transformations: [note] });
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

/** The one of this type. */
export function only(all: readonly Declared[], type: string): Declared {
  const [first, ...more] = all.filter((one) => one.type === type);
  if (first === undefined || more.length > 0)
    throw new Error(
      `${more.length + (first ? 1 : 0)} of ${type} in ${all.map((one) => one.type).join(', ')}`,
    );
  return first;
}

/** Every resource that a program makes, with its inputs. */
export async function madeBy(run: () => unknown): Promise<Pick<Declared, 'type' | 'name' | 'inputs'>[]> {
  const made: Pick<Declared, 'type' | 'name' | 'inputs'>[] = [];
  await setMocks({
    call: ({ token }) => {
      throw new Error(`asked for ${token}`);
    },
    newResource: ({ type, name, inputs }) => {
      made.push({ type, name, inputs });
      return { id: `${name}-id`, state: { arn: `arn:of:${name}`, ...inputs } };
    },
  });
  await run();
  await disconnect();
  return made;
}
