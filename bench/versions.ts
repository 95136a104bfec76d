// Versions of what is measured with beside the peers from PyPI: the real server, and the SDK of the plain script.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findVersitygw } from '../test/support/versitygw.ts';
import { CONTENDERS } from './contenders.ts';
import type { CaseResult } from './results.ts';

const SDK = '@aws-sdk/client-s3';

/** Of those that took part. */
export async function versionsBeside(results: readonly CaseResult[]): Promise<Record<string, string>> {
  const measured = results.filter(({ contenders }) => contenders.length > 0);
  const versions: Record<string, string> = {};
  if (measured.some(({ server }) => server === 'versitygw')) versions.versitygw = await versitygwVersion();
  const scripts = measured.flatMap(({ contenders }) => contenders);
  if (scripts.some(({ name }) => name === CONTENDERS.plainSdk.name)) versions[SDK] = sdkVersion();
  return versions;
}

function sdkVersion(): string {
  const file = join(import.meta.dirname, '../node_modules', SDK, 'package.json');
  // A package's own description: it has a version.
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** What it says itself; built by `go install` it says nothing, and Go reads the version out of the program. */
async function versitygwVersion(): Promise<string> {
  const program = await findVersitygw();
  if (typeof program !== 'string') return 'unknown';
  const said = (file: string, ...words: string[]): string =>
    spawnSync(file, words, { encoding: 'utf8', timeout: 10_000 }).stdout ?? '';
  const version =
    /^Version\s*: v?(\d\S*)/m.exec(said(program, '--version')) ??
    /\bmod\s+\S+\s+v(\d\S*)/.exec(said('go', 'version', '-m', program));
  return version?.[1] ?? 'unknown';
}
