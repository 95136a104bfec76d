// The shape of IAM's policy documents, as far as they are used here, and the names that stand in them.

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  /** Only in documents that hang on a resource: trust and bucket policies. */
  readonly Principal?: '*' | { readonly Federated: string } | { readonly Service: string };
  readonly Action: readonly string[];
  /** Absent in trust policies. */
  readonly Resource?: readonly string[];
  readonly Condition?: Conditions;
}

/** Operator -> key -> values; all must hold. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** A role as its ARN names it. */
export interface RoleName {
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  readonly account: string;
  /** `/`, or `/team/`. */
  readonly path: string;
  readonly name: string;
}

/** Where the data lies. */
export interface DataPlace {
  readonly partition: string;
  readonly bucket: string;
  /** Without a slash at its end; absent: the whole bucket. */
  readonly prefix?: string | undefined;
}

/** @throws TypeError for what is no role's ARN; the settings let none through. */
export function roleName(arn: string): RoleName {
  const [, partition, account, path, name] =
    /^arn:(aws[a-z-]*):iam::(\d{12}):role(\/(?:[^/]+\/)*)([^/]+)$/.exec(arn) ?? [];
  if (partition === undefined || account === undefined || path === undefined || name === undefined)
    throw new TypeError(`${arn} is no role's ARN`);
  return { arn, partition, account, path, name };
}

export function bucketArn({ partition, bucket }: DataPlace): string {
  return `arn:${partition}:s3:::${bucket}`;
}

/** Every object below the prefix. */
export function objectsArn(place: DataPlace): string {
  return `${bucketArn(place)}/${place.prefix === undefined ? '' : `${place.prefix}/`}*`;
}

export function policy(...statements: readonly Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}
