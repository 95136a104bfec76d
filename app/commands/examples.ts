// One or more lines per command that can be pasted: shown by --help and in the README.

export interface Example {
  readonly line: string;
  readonly does: string;
}

/** By command; `ferry` is the program itself. A test parses every line. */
export const EXAMPLES = {
  ferry: [
    { line: 'ferry', does: 'watch it work: a writer, a folder that stands in for S3, no account needed' },
    { line: 'ferry files --source ./data --to ./bucket', does: 'the same with your own folders' },
    { line: 'ferry files --source /data --to s3://my-bucket/site-1', does: 'move to S3 until stopped' },
  ],
  demo: [
    { line: 'ferry demo', does: 'until Ctrl-C, then balance both sides' },
    {
      line: 'ferry demo --for 30s --json',
      does: 'for a script: one line of JSON, exit code 0 when all is there',
    },
  ],
  files: [
    {
      line: 'ferry files --source ./data --to ./bucket --once',
      does: 'move what is there to a folder, then end',
    },
    {
      line: 'ferry files --source /data --to s3://my-bucket/site-1 --volume-limit 2Gi --listen 0.0.0.0:9464',
      does: 'beside a writer in a pod',
    },
    {
      line: 'ferry files --source /data --to s3://my-bucket --endpoint http://127.0.0.1:7070 --path-style',
      does: 'to another S3-compatible server',
    },
    {
      line: "ferry files --source /data --to s3://my-bucket --key '{path}' --keep",
      does: 'mirror, delete nothing',
    },
    { line: 'ferry files --config ferry.yaml --dry-run', does: 'say what would happen' },
  ],
  config: [
    { line: 'ferry config --config ferry.yaml', does: 'every setting and where it comes from' },
    { line: 'ferry config --source /data --to s3://my-bucket --json', does: 'the same for a program' },
  ],
  doctor: [
    { line: 'ferry doctor --to s3://my-bucket/site-1', does: 'may this role do what Ferry needs?' },
    {
      line: 'ferry doctor --to s3://my-bucket/site-1 --source /data',
      does: 'and can the files be deleted here?',
    },
  ],
  events: [
    { line: 'ferry events demo', does: "a bundled API's last seven days into a folder, no account needed" },
    { line: 'ferry events --config events.yaml', does: 'every closed day that is not sealed yet' },
    { line: 'ferry events --config events.yaml --type charge --day 2026-11-20', does: 'one day of one type' },
    { line: 'ferry events --config events.yaml --dry-run', does: 'say what would be pulled' },
    { line: 'ferry events status --config events.yaml', does: 'which days are sealed, missing or failed' },
    {
      line: 'ferry events backfill --config events.yaml --from 2026-01-01 --to 2026-06-30',
      does: 'half a year; start it on several machines to share the work',
    },
    {
      line: 'ferry events schema > events.schema.json',
      does: 'the JSON Schema of the settings, for editors',
    },
  ],
  plan: [
    { line: 'ferry plan --site burst', does: 'the plan of a known site, every number with its arithmetic' },
    {
      line: 'ferry plan --rate 12 --size 1Ki --shift 12h --retention 24h --outage 4h',
      does: 'of a writer of your own',
    },
    { line: 'ferry plan --observe /data --retention 24h --json', does: 'of a writer as its files show it' },
  ],
  where: [
    {
      line: 'ferry where run-0000042.dat --to s3://my-bucket/site-1',
      does: 'what became of a file that is gone here',
    },
  ],
  receipts: [
    {
      line: 'ferry receipts --to s3://my-bucket/site-1 --from 2026-11-20T06 --until 2026-11-20T18',
      does: 'what was proved and freed on a shift',
    },
    {
      line: 'ferry receipts --to s3://my-bucket/site-1 --from 12h --json',
      does: 'the same of the last 12 hours, for a program',
    },
  ],
  verify: [
    {
      line: 'ferry verify --day 2026-11-20 --to s3://my-bucket/site-1',
      does: 'is every object of that day still there as it was proved?',
    },
    {
      line: 'ferry verify --day 2026-11-20 --to s3://my-bucket/site-1 --source /data',
      does: 'and are the local files as the receipts say?',
    },
  ],
} as const satisfies Readonly<Record<string, readonly Example[]>>;

export type ExampleOf = keyof typeof EXAMPLES;

/** The examples of a command as the end of its help text. */
export function examplesText(command: ExampleOf): string {
  const lines = EXAMPLES[command].map(({ line, does }) => `  $ ${line}\n      ${does}`);
  return `\nExamples:\n${lines.join('\n')}`;
}
