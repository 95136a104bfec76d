// What each exit code says to whoever started Ferry: for the help text and the README.
import { EXIT, type ExitName } from '../core/errors.ts';

const MEANING: Readonly<Record<ExitName, string>> = {
  ok: 'all went well',
  internal: 'a defect in Ferry itself; run again with --stack and report it',
  config: 'the command line, a variable or the settings file is wrong; nothing was done',
  source: 'the source directory cannot be used',
  store: 'the store refuses or cannot be reached',
  incomplete: 'the run ended, but some files were left behind; each is named with its reason',
  unhealthy:
    '`ferry doctor` found something that must be mended, `ferry where` nothing, or `ferry verify` a difference',
  transient:
    'something did not answer, or the run was stopped: the same command again goes on where it ended',
  data: 'an API refused a request, or answered other than its description says: trying again does not help',
  interrupted: 'stopped at once by a second signal',
};

/** Every exit code there is, ascending. */
export function exitCodes(): { code: number; name: string; meaning: string }[] {
  // Record<ExitName, …> has exactly the names of EXIT; Object.entries forgets that.
  const names = Object.keys(EXIT) as ExitName[];
  return names
    .map((name) => ({ code: EXIT[name], name, meaning: MEANING[name] }))
    .sort((left, right) => left.code - right.code);
}
