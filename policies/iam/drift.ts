// Calls that the program makes against what its role is granted: a call without a grant fails in production, a grant
// without a call is there for whoever takes the role over.
import { decide } from './decide.ts';
import { accountOf } from './places.ts';
import type { RoleRead } from './reach.ts';

/** One call as a server has seen it. */
export interface CallMade {
  /** `PutObject`; `Unknown` is drift. */
  readonly operation: string;
  /** Below the bucket, with the prefix; empty for a listing. */
  readonly key: string;
  /** Of a listing. */
  readonly prefix: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const ACTION_OF: Readonly<Record<string, string>> = {
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListParts: 's3:ListMultipartUploadParts',
  ListObjectsV2: 's3:ListBucket',
  HeadBucket: 's3:ListBucket',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  DeleteObject: 's3:DeleteObject',
};

/** What S3 asks of the key on the caller's behalf: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
const KEY_ACTION_OF: Readonly<Record<string, string>> = {
  PutObject: 'kms:GenerateDataKey',
  CreateMultipartUpload: 'kms:GenerateDataKey',
  UploadPart: 'kms:Decrypt',
  CompleteMultipartUpload: 'kms:Decrypt',
};

export interface Drift {
  /** One sentence for each kind of call that the role may not make. */
  readonly refused: readonly string[];
  /** Actions that are granted and that no call needs. */
  readonly unused: readonly string[];
}

export function driftOf(read: RoleRead, calls: readonly CallMade[]): Drift {
  const { role, identity } = read;
  const refused = new Set<string>();
  const used = new Set<string>();
  for (const call of calls) {
    const action = ACTION_OF[call.operation];
    if (action === undefined) {
      refused.add(`${call.operation} is a call that no action is known for.`);
      continue;
    }
    used.add(action.toLowerCase());
    const keyAction = role.kmsKey === undefined ? undefined : KEY_ACTION_OF[call.operation];
    if (keyAction !== undefined) used.add(keyAction.toLowerCase());
    const because = refusalOf(read, action, call);
    if (because !== undefined) refused.add(`${call.operation} needs ${action}: ${because}.`);
  }
  const granted = identity.statements.flatMap(({ effect, actions }) => (effect === 'Allow' ? actions : []));
  return {
    refused: [...refused].sort(),
    unused: granted.filter((action) => !used.has(action.toLowerCase())).sort(),
  };
}

function refusalOf(read: RoleRead, action: string, { operation, key, prefix }: CallMade): string | undefined {
  const { role, identity, boundary, bucketPolicy } = read;
  const account = accountOf(role);
  const bucket = `arn:${role.arn.split(':')[1]}:s3:::${role.bucket}`;
  const creates = operation === 'PutObject' || operation === 'CompleteMultipartUpload';
  const { outcome, because } = decide(
    { identity, boundary, resource: bucketPolicy },
    {
      caller: { type: 'AWS', value: role.arn, account },
      action,
      resource: key === '' ? bucket : `${bucket}/${key}`,
      resourceAccount: account,
      context: {
        open: false,
        values: {
          'aws:PrincipalArn': role.arn,
          'aws:SecureTransport': 'true',
          's3:TlsVersion': '1.3',
          'aws:SourceVpce': role.vpcEndpoint ?? null,
          's3:prefix': prefix === '' ? null : prefix,
          's3:ObjectCreationOperation': action === 's3:PutObject' ? String(creates) : null,
          's3:if-none-match': creates ? '*' : null,
        },
      },
    },
  );
  return outcome === 'denied' ? because : undefined;
}
