// kubectl as a function, for what is asked of the cluster behind Pulumi's back.
import * as cluster from '../cluster/kubectl.ts';

/** What it prints, trimmed. Rejects when it fails. */
export async function kubectl(words: readonly string[], input?: string): Promise<string> {
  return (await cluster.kubectl(words, input)).trim();
}
