// `ferry events demo`: the bundled API, a settings file to read and change, a run, and what came of it.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLE_TYPES } from './api.ts';

/** The settings the demo runs with; written once, so that a person may change them. Answers the file's path. */
export function writeDemoSettings(directory: string, url: string): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'events.yaml');
  const types = SAMPLE_TYPES.map((type) => `  - ${type}`).join('\n');
  const text = `# The sample API of \`ferry events demo\`. \`ferry events schema\` prints every key there is.
version: 1
url: ${url}
headers:
  Content-Type: application/json
read_batch_size: 100
retry_sla: 20
retry_time_delta: 0.2
save_data_locally: true
local_path: ${JSON.stringify(join(directory, 'data'))}
state: ${JSON.stringify(join(directory, 'state'))}
events:
${types}
`;
  if (!existsSync(file)) writeFileSync(file, text);
  return file;
}
