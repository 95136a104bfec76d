// When somebody must be told: the alerts as plain data. What each means, how to check it and what to do stands in
// docs/runbook.md; a test holds both against each other, another fires each of them on a real Prometheus.

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold, as Prometheus writes durations. */
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly action: string;
}

export interface AlertOptions {
  /** Label matchers of the mover's series, in braces. */
  readonly here: string;
  /** The longest time without S3 that the volume is planned for. */
  readonly outageS: number;
  /** What a second is: less than 1 makes all times shorter. For tests. */
  readonly second?: number;
}

/** Nothing succeeded for so long although files wait: the same as the page's verdict. */
const NOT_FLOWING_S = 900;
/** A walk over a million files takes seconds of CPU at 1 % of a core: minutes. */
const WALK_STALLED_S = 900;
const FULL_SOON_S = 3_600;
/** A backlog that grows below this is a burst on its way. */
const BACKLOG_FILES = 1_000;
/** What no retry mends: somebody must change a role, a token, a clock or a name. */
const REFUSED = 'denied|expired|skew|no-bucket|wrong-region';

export function alerts({ here, outageS, second = 1 }: AlertOptions): Alert[] {
  const hours = Math.round((outageS / 3_600) * 10) / 10;
  const seconds = (amount: number): number => amount * second;
  const span = (amount: number): string => `${Math.round(amount * second * 1_000)}ms`;
  const lasting = (amount: number): string => (second === 1 ? `${amount / 60}m` : span(amount));
  const refused = here.replace('}', `,reason=~"${REFUSED}"}`);
  const lastSuccess = `(ferry_files_last_success_timestamp_seconds${here} > 0 or process_start_time_seconds${here})`;
  const waiting = `(ferry_files_backlog_files${here} + ferry_files_unproved_files${here})`;
  // One bad file that nobody touches any more is FerryFilesFailing's.
  const due =
    `(ferry_files_last_arrival_timestamp_seconds${here} > ${lastSuccess} or ` +
    `${waiting} - sum without (reason) (ferry_files_failing_files${here}) > 0)`;
  return [
    {
      alert: 'FerryNotFlowing',
      expr: `time() - ${lastSuccess} > ${seconds(NOT_FLOWING_S)} and ${waiting} > 0 and ${due}`,
      for: lasting(60),
      severity: 'critical',
      summary: 'Files wait and nothing was sent or proved for 15 minutes.',
      action: 'Open the page or read the log: the verdict says why.',
    },
    {
      alert: 'FerryBacklogGrowing',
      expr:
        `ferry_files_backlog_files${here} > ${BACKLOG_FILES} and ` +
        `deriv(ferry_files_backlog_files${here}[${lasting(900)}]) > 0`,
      for: lasting(900),
      severity: 'warning',
      summary: 'More files arrive than are sent, for 15 minutes.',
      action: 'Compare the bandwidth with ferry plan; see whether S3 slows Ferry down.',
    },
    {
      alert: 'FerryUnprovedTooOld',
      expr: `ferry_files_oldest_unproved_age_seconds${here} > ${seconds(outageS > 0 ? outageS : NOT_FLOWING_S)}`,
      for: lasting(300),
      severity: 'critical',
      summary: `A file is unproved for longer than the outage of ${hours} h that is planned for.`,
      action: 'ferry_files_failing_files says what fails; these files exist nowhere but on this volume.',
    },
    {
      alert: 'FerryDiskFullSoon',
      expr: `ferry_files_disk_full_seconds${here} < ${seconds(FULL_SOON_S)}`,
      for: lasting(300),
      severity: 'warning',
      summary: 'At its present growth the volume is full within an hour.',
      action: 'See whether S3 answers (ferry_files_store_up) and whether the writer makes more than planned.',
    },
    {
      alert: 'FerryDiskHigh',
      expr: `ferry_files_disk_level${here} >= 1`,
      for: lasting(900),
      severity: 'warning',
      summary: 'Proved files are deleted before their retention ends, because the volume is near its limit.',
      action: 'Look whether the writer makes more than planned, and plan again with ferry plan --observe.',
    },
    {
      alert: 'FerryDiskCritical',
      expr: `ferry_files_disk_level${here} == 2`,
      for: lasting(60),
      severity: 'critical',
      summary: 'The volume is about to be full and nothing more can be freed.',
      action:
        'Bring S3 back or stop the writer: over the limit the pod is evicted, or the writer gets errors.',
    },
    {
      alert: 'FerryCredentialsRefused',
      expr: `max by (namespace, job, reason) (ferry_files_failing_files${refused} > 0 or ferry_files_store_fault${refused} > 0)`,
      for: lasting(300),
      severity: 'critical',
      summary: 'S3 refuses Ferry: role, token, clock, bucket or region. No retry mends that.',
      action: 'Run ferry doctor with the same settings: it names what is missing.',
    },
    {
      alert: 'FerryStoreDown',
      expr: `ferry_files_store_up${here} == 0`,
      for: lasting(600),
      severity: 'warning',
      summary: `S3 refuses or cannot be reached; the volume is planned for ${hours} h of it.`,
      action: 'Read the log of the container ferry: it says which call failed and why.',
    },
    {
      alert: 'FerryContentConflict',
      expr: `increase(ferry_files_conflicts_total${here}[${lasting(3_600)}]) > 0`,
      for: '0m',
      severity: 'warning',
      summary: 'A key was taken by other content; the file has a key of its own, nothing was overwritten.',
      action: 'Find out who else writes below this prefix, or whether the writer uses a name twice.',
    },
    {
      alert: 'FerryFilesFailing',
      expr: `sum by (namespace, job, reason) (ferry_files_failing_files${here}) > 0`,
      for: lasting(1_800),
      severity: 'warning',
      summary: 'Some files cannot be moved; the others go on.',
      action: 'The page and the log name the files and their reason.',
    },
    {
      alert: 'FerryObjectsVanished',
      expr: `increase(ferry_files_vanished_objects_total${here}[${lasting(3_600)}]) > 0`,
      for: '0m',
      severity: 'critical',
      summary: 'Objects that S3 had acknowledged are not in its listing; they were sent again.',
      action: 'Find out who deletes in this bucket.',
    },
    {
      alert: 'FerryRestarting',
      expr: `changes(process_start_time_seconds${here}[${lasting(3_600)}]) > 2`,
      for: '0m',
      severity: 'warning',
      summary: 'Ferry was started more than twice again within an hour.',
      action: 'kubectl describe the pod: OOMKilled, a failed probe or an error at the start.',
    },
    {
      alert: 'FerryWalkStalled',
      expr: `time() - (ferry_files_last_walk_timestamp_seconds${here} > 0 or process_start_time_seconds${here}) > ${seconds(WALK_STALLED_S)}`,
      for: lasting(300),
      severity: 'critical',
      summary: 'The source was not looked through for 15 minutes: new files are not seen.',
      action: 'Read the log of the container ferry.',
    },
    {
      alert: 'FerryAbsent',
      expr: `absent(up${here} == 1)`,
      for: lasting(300),
      severity: 'critical',
      summary: 'No Ferry answers: nothing is moved and nothing is freed.',
      action: 'kubectl describe the pod; an evicted one says why.',
    },
  ];
}

/** Where the words on an alert stand. */
export const runbookOf = (alert: string): string => `docs/runbook.md#${alert.toLowerCase()}`;
