// kubectl as a function, for what is asked of the cluster behind Pulumi's back.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What it prints, trimmed. Rejects when it fails. */
export async function kubectl(words: readonly string[], input?: string): Promise<string> {
  const running = run('kubectl', words);
  running.child.stdin?.end(input ?? '');
  return (await running).stdout.trim();
}
