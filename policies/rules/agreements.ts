// All rules across tools.
import { agreeBucket } from './agreement/bucket.ts';
import { agreeImage } from './agreement/image.ts';
import { agreeNamespace } from './agreement/namespace.ts';
import { agreeRegion } from './agreement/region.ts';
import { agreeRole } from './agreement/role.ts';
import { agreeServiceAccount } from './agreement/service-account.ts';
import type { Sides } from './agreement-rule.ts';
import type { Rule } from './rule.ts';

export const AGREEMENT_RULES: readonly Rule<Sides>[] = [
  agreeRole,
  agreeServiceAccount,
  agreeNamespace,
  agreeBucket,
  agreeRegion,
  agreeImage,
];
