// The namespace with its Pod Security and its closed network, as the chart writes them.
import { ComponentResource, type ComponentResourceOptions, type CustomResource } from '@pulumi/pulumi';
import type { Manifest } from '../manifests/guard.ts';
import { kubernetesObject } from './kubernetes-object.ts';

export interface NamespaceArgs {
  /** Objects of the namespace's chart. */
  readonly objects: readonly Manifest[];
}

export class Namespace extends ComponentResource {
  constructor(name: string, { objects }: NamespaceArgs, opts: ComponentResourceOptions = {}) {
    super('ferry:infra:Namespace', name, {}, opts);
    const before: CustomResource[] = [];
    for (const object of objects)
      before.push(kubernetesObject(object, true, { parent: this, dependsOn: [...before] }));
    this.registerOutputs({});
  }
}
