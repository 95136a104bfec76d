// Where a role could act: its own data, beside it, in other buckets and in other accounts, for each kind of resource.
import { partsOf } from './patterns.ts';

/** A role with every document that bounds it, as plain objects. */
export interface RoleInReview {
  readonly arn: string;
  readonly region: string;
  readonly bucket: string;
  /** Without a slash at its end; absent: the whole bucket. */
  readonly prefix?: string | undefined;
  readonly kmsKey?: string | undefined;
  /** The only way in, where there is one: `vpce-1a2b…`. */
  readonly vpcEndpoint?: string | undefined;
  /** ARN of the only role that may delete; without one nobody may. */
  readonly breakGlass?: string | undefined;
  readonly trust: unknown;
  readonly identity: unknown;
  readonly boundary?: unknown;
  readonly bucketPolicy: unknown;
}

export type PlaceName =
  | 'own data'
  | 'own bucket'
  | 'own bucket, other prefix'
  | 'other bucket'
  | 'own role'
  | 'own key'
  | 'own account'
  | 'other account'
  | 'no resource';

export interface Place {
  readonly name: PlaceName;
  readonly arn: string;
  readonly account: string;
}

/** Stand-ins for all that is not the role's: names that no document of a role may have. */
const OTHER_ACCOUNT = '999999999999';
const OTHER_NAME = 'ferry-review-other';

const BUCKET = /:s3:::\$\{BucketName\}$/;
const OBJECT = /:s3:::\$\{BucketName\}\//;

export function accountOf(role: Pick<RoleInReview, 'arn'>): string {
  return partsOf(role.arn)[4] ?? '';
}

/** @param pattern an ARN with placeholders, as AWS documents kinds of resources; undefined: no resource. */
export function placesOf(role: RoleInReview, pattern: string | undefined): Place[] {
  const own = accountOf(role);
  if (pattern === undefined) return [{ name: 'no resource', arn: '*', account: own }];
  const fill = (account: string, names: Readonly<Record<string, string>> = {}): string =>
    pattern.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      if (name === 'Partition') return partsOf(role.arn)[1] ?? '';
      if (name === 'Region') return role.region;
      if (name === 'Account') return account;
      return names[name] ?? OTHER_NAME;
    });
  const place = (name: PlaceName, account = own, names: Readonly<Record<string, string>> = {}): Place => ({
    name,
    arn: fill(account, names),
    account,
  });
  const below = role.prefix === undefined ? '' : `${role.prefix}/`;
  const object = (BucketName: string, ObjectName: string) => ({ BucketName, ObjectName });
  const elsewhere = [
    place('other bucket', own, object(OTHER_NAME, `${below}file`)),
    place('other account', OTHER_ACCOUNT, object(OTHER_NAME, `${below}file`)),
  ];
  if (OBJECT.test(pattern))
    return [
      place('own data', own, object(role.bucket, `${below}dt=2026-11-20/file`)),
      ...(role.prefix === undefined
        ? []
        : [
            place('own bucket, other prefix', own, object(role.bucket, `${role.prefix}0/file`)),
            place('own bucket, other prefix', own, object(role.bucket, role.prefix)),
            place('own bucket, other prefix', own, object(role.bucket, 'file')),
          ]),
      place('other bucket', own, object(`${role.bucket}0`, `${below}file`)),
      ...elsewhere,
    ];
  if (BUCKET.test(pattern))
    return [
      place('own bucket', own, { BucketName: role.bucket }),
      place('other bucket', own, { BucketName: `${role.bucket}0` }),
      ...elsewhere,
    ];
  const others = [place('own account'), place('other account', OTHER_ACCOUNT)];
  const service = partsOf(pattern)[2];
  if (service === 'iam' && pattern.includes(':role/'))
    return [{ name: 'own role', arn: role.arn, account: own }, ...others];
  if (service === 'kms' && pattern.includes(':key/') && role.kmsKey !== undefined)
    return [{ name: 'own key', arn: role.kmsKey, account: partsOf(role.kmsKey)[4] ?? own }, ...others];
  return others;
}
