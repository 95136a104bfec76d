// What the bucket refuses whoever asks, administrators of the account included: plain connections, overwriting, writes
// by anybody but the workload, and deleting. It grants nothing; grants are the roles' own.
import {
  bucketArn,
  type DataPlace,
  objectsArn,
  type PolicyDocument,
  policy,
  type Statement,
} from './policy.ts';

export interface BucketGuards extends DataPlace {
  /** ARN of the only role that may write below the prefix. */
  readonly writer: string;
  /** Other prefixes beside it, each with its only writer. @default none */
  readonly others?: readonly { readonly prefix: string; readonly writer: string }[];
  /** ARN of the only role that may delete there; without one nobody may. */
  readonly breakGlass?: string | undefined;
  /** The only way to the objects, where there is one: `vpce-1a2b…`. */
  readonly vpcEndpoint?: string | undefined;
}

/** Everything that makes an object, or changes what is kept beside one. */
const WRITES = [
  's3:PutObject',
  's3:PutObjectAcl',
  's3:PutObjectLegalHold',
  's3:PutObjectRetention',
  's3:PutObjectTagging',
  's3:PutObjectVersionAcl',
  's3:PutObjectVersionTagging',
  's3:ReplicateDelete',
  's3:ReplicateObject',
  's3:ReplicateTags',
] as const;

const DELETES = [
  's3:DeleteObject',
  's3:DeleteObjectTagging',
  's3:DeleteObjectVersion',
  's3:DeleteObjectVersionTagging',
] as const;

const TRANSFERS = [
  's3:AbortMultipartUpload',
  's3:GetObject',
  's3:GetObjectVersion',
  's3:PutObject',
  's3:RestoreObject',
] as const;

export function bucketPolicy(guards: BucketGuards): PolicyDocument {
  const { writer, others = [], breakGlass, vpcEndpoint } = guards;
  const everything = [bucketArn(guards), `${bucketArn(guards)}/*`];
  const otherData = others.map(({ prefix }) => objectsArn({ ...guards, prefix }));
  const data = [objectsArn(guards), ...otherData];
  const deny = (
    Sid: string,
    Action: readonly string[],
    Resource: readonly string[],
    Condition?: Statement['Condition'],
  ): Statement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action,
    Resource,
    ...(Condition === undefined ? {} : { Condition }),
  });
  return policy(
    deny('RefusePlainConnections', ['s3:*'], everything, { Bool: { 'aws:SecureTransport': 'false' } }),
    deny('RefuseOldTls', ['s3:*'], everything, { NumericLessThan: { 's3:TlsVersion': '1.2' } }),
    // Parts of a large upload make no object yet and cannot carry the header; completing it does and must.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    deny('RefuseOverwriting', ['s3:PutObject'], data, {
      Bool: { 's3:ObjectCreationOperation': 'true' },
      Null: { 's3:if-none-match': 'true' },
    }),
    deny('RefuseOtherWriters', WRITES, [objectsArn(guards)], {
      StringNotEquals: { 'aws:PrincipalArn': writer },
    }),
    ...others.map((other, index) =>
      deny(`RefuseOtherWriters${index + 2}`, WRITES, [otherData[index] ?? ''], {
        StringNotEquals: { 'aws:PrincipalArn': other.writer },
      }),
    ),
    deny(
      'RefuseDeleting',
      DELETES,
      data,
      breakGlass === undefined ? undefined : { StringNotEquals: { 'aws:PrincipalArn': breakGlass } },
    ),
    ...(vpcEndpoint === undefined
      ? []
      : [
          // Objects only: whoever manages the bucket (`pulumi up`) does so from outside.
          deny('RefuseOtherWays', TRANSFERS, data, { StringNotEquals: { 'aws:SourceVpce': vpcEndpoint } }),
        ]),
  );
}
