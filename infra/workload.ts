// What runs in the namespace: the same charts that `npm run synth` writes, object by object.
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResource,
  type Resource,
} from '@pulumi/pulumi';
import type { Manifest } from '../manifests/guard.ts';
import { comesAfter, inOrder, kubernetesObject } from './kubernetes-object.ts';

export interface WorkloadArgs {
  /** Objects of the charts, in the order of their files. */
  readonly objects: readonly Manifest[];
  /** Until the pods run. */
  readonly wait: boolean;
  /** What must be there before any of them. */
  readonly after: readonly Resource[];
}

export class Workload extends ComponentResource {
  constructor(name: string, { objects, wait, after }: WorkloadArgs, opts: ComponentResourceOptions = {}) {
    super('ferry:infra:Workload', name, {}, opts);
    const made = new Map<Manifest, CustomResource>();
    for (const object of inOrder(objects)) {
      const before = [...made].flatMap(([other, resource]) => (comesAfter(object, other) ? [resource] : []));
      const opts = { parent: this, dependsOn: [...after, ...before] };
      made.set(object, kubernetesObject(object, wait, opts));
    }
    this.registerOutputs({});
  }
}
