// What a bucket's policy refuses, asked of somebody whom his own policies allow everything.
import { decide } from '../iam/decide.ts';
import { readPolicy } from '../iam/document.ts';
import type { RoleRead } from '../iam/reach.ts';
import { bucketArnOf, objectsArnOf } from './iam-rule.ts';

const EVERYTHING = readPolicy('identity', {
  Version: '2012-10-17',
  Statement: [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }],
});

export interface Attempt {
  readonly action: string;
  /** Default: an object below the prefix. */
  readonly on?: 'object' | 'bucket';
  /** ARN of who tries. Default: an administrator of the account. */
  readonly by?: string;
  /** What is not as it should be; null: absent. By default the request keeps every rule. */
  readonly context?: Readonly<Record<string, string | null>>;
}

/** One of each kind, that no other refusal of the policy concerns. */
export const TRIED: readonly Attempt[] = [
  { action: 's3:GetObject' },
  { action: 's3:GetObjectVersion' },
  { action: 's3:RestoreObject' },
  { action: 's3:ListBucket', on: 'bucket' },
  { action: 's3:PutBucketPolicy', on: 'bucket' },
];

export function administratorOf({ role }: RoleRead): string {
  return role.arn.replace(/:role\/.*$/, ':role/ferry-review-administrator');
}

/** Whether the bucket's policy refuses it. */
export function refuses(read: RoleRead, { action, on = 'object', by, context = {} }: Attempt): boolean {
  const { role, bucketPolicy } = read;
  const caller = by ?? administratorOf(read);
  const account = caller.split(':')[4];
  const { outcome } = decide(
    { identity: EVERYTHING, resource: bucketPolicy },
    {
      caller: { type: 'AWS', value: caller, account },
      action,
      resource: on === 'bucket' ? bucketArnOf(read) : objectsArnOf(read).replace(/\*$/, 'file'),
      resourceAccount: role.arn.split(':')[4] ?? '',
      context: {
        open: false,
        values: {
          'aws:PrincipalArn': caller,
          'aws:SecureTransport': 'true',
          's3:TlsVersion': '1.3',
          's3:ObjectCreationOperation': action === 's3:PutObject' ? 'true' : null,
          's3:if-none-match': action === 's3:PutObject' ? '*' : null,
          'aws:SourceVpce': role.vpcEndpoint ?? null,
          ...context,
        },
      },
    },
  );
  return outcome === 'denied';
}
