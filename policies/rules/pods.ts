// All rules about what runs in a cluster.
import type { Manifests } from './kube.ts';
import { capabilities } from './pod/capabilities.ts';
import { credentialsInOne } from './pod/credentials-in-one.ts';
import { cronjobDeadline } from './pod/cronjob-deadline.ts';
import { drainInGrace } from './pod/drain-in-grace.ts';
import { ephemeralStorageSum } from './pod/ephemeral-storage-sum.ts';
import { hostAccess } from './pod/host-access.ts';
import { imagePinned } from './pod/image-pinned.ts';
import { jobFailures } from './pod/job-failures.ts';
import { livenessAlone } from './pod/liveness-alone.ts';
import { namespaceRestricted } from './pod/namespace-restricted.ts';
import { nativeSidecar } from './pod/native-sidecar.ts';
import { networkClosed } from './pod/network-closed.ts';
import { noClusterToken } from './pod/no-cluster-token.ts';
import { noSecret } from './pod/no-secret.ts';
import { nonRoot } from './pod/non-root.ts';
import { oneOwner } from './pod/one-owner.ts';
import { oneWriter } from './pod/one-writer.ts';
import { ownServiceAccount } from './pod/own-service-account.ts';
import { privilege } from './pod/privilege.ts';
import { readOnlyRoot } from './pod/read-only-root.ts';
import { resourceCaps } from './pod/resource-caps.ts';
import { seccomp } from './pod/seccomp.ts';
import { volumeSizeLimits } from './pod/volume-size-limits.ts';
import { watermarks } from './pod/watermarks.ts';
import type { Rule } from './rule.ts';

export const POD_RULES: readonly Rule<Manifests>[] = [
  privilege,
  capabilities,
  nonRoot,
  seccomp,
  hostAccess,
  readOnlyRoot,
  resourceCaps,
  volumeSizeLimits,
  ephemeralStorageSum,
  watermarks,
  drainInGrace,
  nativeSidecar,
  livenessAlone,
  credentialsInOne,
  noClusterToken,
  ownServiceAccount,
  imagePinned,
  oneOwner,
  oneWriter,
  cronjobDeadline,
  jobFailures,
  noSecret,
  namespaceRestricted,
  networkClosed,
];
