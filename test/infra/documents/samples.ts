// Names that the tests of documents and components share.
import { roleName } from '../../../infra/documents/policy.ts';

export const ROLE = roleName('arn:aws:iam::111122223333:role/team/ferry-staging');
export const ISSUER = 'https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF';
export const ACCOUNT = { namespace: 'ferry', name: 'file-writer' };
export const PLACE = { partition: 'aws', bucket: 'acme-ferry', prefix: 'site-1' };
export const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000';
export const BREAK_GLASS = 'arn:aws:iam::111122223333:role/break-glass';
export const ENDPOINT = 'vpce-0123456789abcdef0';
