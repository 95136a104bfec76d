// The role that the uploader takes, with the one policy it has.
import { PodIdentityAssociation } from '@pulumi/aws/eks/podIdentityAssociation.js';
import { Role } from '@pulumi/aws/iam/role.js';
import { RolePolicy } from '@pulumi/aws/iam/rolePolicy.js';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import type { RoleName } from './documents/policy.ts';
import { type RoleGrants, rolePolicy } from './documents/role.ts';
import { irsaTrust, podIdentityTrust, type ServiceAccount } from './documents/trust.ts';

/** How a pod proves who it is. */
export type Identity =
  /** By a token of the cluster's OIDC issuer. */
  | { readonly by: 'irsa'; readonly issuer: string }
  /** By the cluster's EKS Pod Identity agent. */
  | { readonly by: 'pod-identity'; readonly cluster: string; readonly clusterArn: string };

export interface WorkloadRoleArgs {
  readonly role: RoleName;
  readonly identity: Identity;
  readonly account: ServiceAccount;
  readonly grants: RoleGrants;
  /** ARN of a policy. @default none */
  readonly permissionsBoundary?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export class WorkloadRole extends ComponentResource {
  readonly arn: Output<string>;

  constructor(name: string, args: WorkloadRoleArgs, opts: ComponentResourceOptions = {}) {
    super('ferry:infra:WorkloadRole', name, {}, opts);
    const own = { parent: this };
    const { role, identity, account } = args;
    const trust =
      identity.by === 'irsa'
        ? irsaTrust(role, identity.issuer, account)
        : podIdentityTrust(role, identity.clusterArn, account);

    const made = new Role(
      name,
      {
        name: role.name,
        path: role.path,
        description: `Ferry in ${account.namespace}/${account.name}: writes to ${args.grants.bucket}, cannot read or delete`,
        assumeRolePolicy: JSON.stringify(trust),
        ...(args.permissionsBoundary === undefined ? {} : { permissionsBoundary: args.permissionsBoundary }),
        tags: { ...args.tags },
      },
      own,
    );
    const granted = new RolePolicy(
      name,
      { role: made.name, name: 'data', policy: JSON.stringify(rolePolicy(args.grants)) },
      own,
    );
    if (identity.by === 'pod-identity')
      new PodIdentityAssociation(
        name,
        {
          clusterName: identity.cluster,
          namespace: account.namespace,
          serviceAccount: account.name,
          roleArn: made.arn,
        },
        { ...own, dependsOn: [granted] },
      );

    this.arn = made.arn;
    this.registerOutputs({ arn: this.arn });
  }
}
