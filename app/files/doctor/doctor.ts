// `ferry doctor`: looks at everything Ferry needs, and at what it must not have, before a file is moved.
import type { Writable } from 'node:stream';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { ExitName } from '../../core/errors.ts';
import type { Credentials } from '../../core/s3/sign.ts';
import type { DoctorSettings } from '../settings.ts';
import { type Finding, printFindings, printFindingsJson } from './finding.ts';
import { checkFolder } from './folder.ts';
import { checkSource } from './source.ts';
import { checkState, checkVolume } from './volume.ts';

export interface DoctorIo {
  readonly stdout: Writable;
  /** One JSON document instead of lines for people. */
  readonly json: boolean;
  /** For region, endpoint, proxies and authorities. */
  readonly env: NodeJS.ProcessEnv;
  /** @default the AWS SDK's chain, which reads `process.env` */
  readonly credentials?: Credentials;
  readonly clock?: Clock;
}

/**
 * Looks, prints and answers `unhealthy` when something must be mended, otherwise `ok`; what merely could be better, or
 * could not be looked at, does not fail. On a bucket it writes one small object below `<prefix>/.ferry-doctor/`, which
 * Ferry itself cannot delete, unless `dryRun`. Rejects only for a defect.
 */
export async function runDoctor(settings: DoctorSettings, io: DoctorIo): Promise<ExitName> {
  const findings = await examine(settings, io);
  if (io.json) printFindingsJson(io.stdout, findings);
  else printFindings(io.stdout, findings);
  return findings.some(({ level }) => level === 'fail') ? 'unhealthy' : 'ok';
}

async function examine(settings: DoctorSettings, io: DoctorIo): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { source } = settings;
  if (source) {
    findings.push(...checkSource({ ...settings, source }, (io.clock ?? systemClock).now()));
    findings.push(...checkVolume({ ...settings, source }, io.env));
  }
  findings.push(...checkState({ source: source ?? '', state: settings.state }));
  if (settings.to.startsWith('s3://')) {
    // Only a bucket needs the SDK's credentials chain, which takes its time to load.
    const { checkS3 } = await import('./s3.ts');
    findings.push(...(await checkS3(settings, io)));
  } else findings.push(...checkFolder(settings));
  return findings;
}
