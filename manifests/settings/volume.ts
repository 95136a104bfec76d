// What must be survived, from which everything is planned; the shared volume; and planned values, which have no default
// here, as the plan computes them.
import { duration, field, optional, size, text } from '../../app/core/settings/fields.ts';
import { OTHER_INPUTS, VOLUME_GROUP as VOLUME } from '../../app/plan/fields.ts';
import { parseCpu } from '../quantities.ts';
import { NAME, NAME_TEXT } from './names.ts';

const PLANNED = 'Planned values, to be overridden';
const PLAN = 'as planned';

export const VOLUME_FIELDS = {
  ...OTHER_INPUTS,
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
  spillSizeBytes: optional(
    size({
      group: VOLUME,
      what: "Size of a volume claim of the uploader's own that takes the oldest files when the shared volume is critical and nothing proved is left to free",
      example: '20Gi',
      otherwise: 'none: an outage longer than planned fills the shared volume',
    }),
  ),
  spillClass: optional(
    text(
      {
        group: VOLUME,
        what: 'Storage class of that claim',
        example: 'gp3',
        otherwise: "the cluster's default",
      },
      'NAME',
      NAME_TEXT,
      NAME,
    ),
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
  gracePeriodMs: optional(
    duration({ group: PLANNED, what: "The pod's grace period", example: '2m', otherwise: PLAN }),
  ),
};
