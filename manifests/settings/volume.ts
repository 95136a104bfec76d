// Settings of the shared volume, and of planned values: those have no default here, as the plan computes them.
import { choice, duration, field, optional, share, size, text } from '../../app/core/settings/fields.ts';
import { VOLUME_KINDS } from '../../app/plan/inputs.ts';
import { parseCpu } from '../quantities.ts';
import { NAME, NAME_TEXT } from './names.ts';

const VOLUME = 'The volume';
const PLANNED = 'Planned values, to be overridden';
const PLAN = 'as planned';

export const VOLUME_FIELDS = {
  volume: optional(
    choice(
      {
        group: VOLUME,
        what: 'emptyDir: over its limit the pod is evicted. memory: full is an error to the writer, and it counts as its memory. ephemeral: a claim of its own, full is an error to the writer',
        example: 'emptyDir',
        otherwise: 'emptyDir',
      },
      VOLUME_KINDS,
    ),
  ),
  volumeClass: optional(
    text(
      {
        group: VOLUME,
        what: 'Storage class of a volume of kind ephemeral',
        example: 'gp3',
        otherwise: "the cluster's default",
      },
      'NAME',
      NAME_TEXT,
      NAME,
    ),
  ),
  blockSizeBytes: optional(
    size({ group: VOLUME, what: 'Block size of its file system', example: '4Ki', otherwise: '4Ki' }),
  ),
  inodeRatioBytes: optional(
    size({ group: VOLUME, what: 'One inode per so many bytes', example: '16Ki', otherwise: '16Ki' }),
  ),
  lowWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share that freeing early ends at',
      example: '0.75',
      otherwise: '0.75',
    }),
  ),
  highWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share above which proved files go early',
      example: '0.85',
      otherwise: '0.85',
    }),
  ),
  criticalWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share that the longest outage stays below',
      example: '0.95',
      otherwise: '0.95',
    }),
  ),
  sizeLimitBytes: optional(
    size({ group: PLANNED, what: "The shared volume's limit", example: '4Gi', otherwise: PLAN }),
  ),
  claimSizeBytes: optional(
    size({ group: PLANNED, what: 'Claim of a volume of kind ephemeral', example: '24Gi', otherwise: PLAN }),
  ),
  stateSizeBytes: optional(
    size({ group: PLANNED, what: "The uploader's own volume", example: '1Gi', otherwise: PLAN }),
  ),
  memoryRequestBytes: optional(
    size({ group: PLANNED, what: "The uploader's memory, requested", example: '256Mi', otherwise: PLAN }),
  ),
  memoryLimitBytes: optional(
    size({ group: PLANNED, what: "The uploader's memory, at most", example: '512Mi', otherwise: PLAN }),
  ),
  cpuRequest: optional(
    field(
      { group: PLANNED, what: "The uploader's CPU, requested", example: '250m', otherwise: PLAN },
      'CPU',
      'cores, or thousandths with m',
      parseCpu,
    ),
  ),
  cpuLimit: optional(
    field(
      { group: PLANNED, what: "The uploader's CPU, at most", example: '1', otherwise: PLAN },
      'CPU',
      'cores, or thousandths with m',
      parseCpu,
    ),
  ),
  drainMs: optional(
    duration(
      {
        group: PLANNED,
        what: "The uploader's --drain after the writer's end",
        example: '60s',
        otherwise: PLAN,
      },
      { zero: true },
    ),
  ),
  gracePeriodMs: optional(
    duration({ group: PLANNED, what: "The pod's grace period", example: '2m', otherwise: PLAN }),
  ),
};
