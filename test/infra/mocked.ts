// Components without an engine: what each would declare, and the one resource of a type.
import type { ComponentResource } from '@pulumi/pulumi';
import * as program from '../../infra/declared.ts';

export type Declared = program.Declared;

/** What `create` declares, components themselves left out, in the order of declaration. */
export function declaredBy(create: (opts: object) => ComponentResource): Promise<Declared[]> {
  return program.declaredBy(() => create({}));
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
export function madeBy(run: () => unknown): Promise<Declared[]> {
  return program.declaredBy(run);
}
