// Events of a target: keys `ferry-events:<name>` in Pulumi.<target>.yaml, beside those of the writer. The key `settings`
// names the settings file of `ferry events` and turns it on.
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { FerryError } from '../../app/core/errors.ts';
import { field, infoOf, optional, size, text } from '../../app/core/settings/fields.ts';
import { nearest, settingName } from '../../app/core/settings/names.ts';
import { parseCidrs } from '../quantities.ts';
import { NAME, NAME_TEXT } from '../settings/names.ts';

export const EVENTS_SECTION = 'ferry-events:';
const GROUP = 'Events';
/** The second form is what Pulumi makes of a day without quotes, in the program and in the file: it takes it for an instant. */
const DAY = /^(\d{4}-\d{2}-\d{2})( 00:00:00 \+0000 UTC)?$/;

const day = (what: string) =>
  optional(
    field(
      { group: GROUP, what, example: '2026-01-01', otherwise: 'no backfill' },
      'DAY',
      'a date',
      (given): { value: string } | { wrong: string } => {
        const [, date = ''] = DAY.exec(given) ?? [];
        return new Date(date).toJSON()?.startsWith(date) ? { value: date } : { wrong: 'is no date' };
      },
    ),
  );

export const schema = z.object({
  settings: text(
    { group: GROUP, what: 'The settings file of ferry events', example: 'events.yaml' },
    'FILE',
    'a path',
    /^[^\0]+$/,
  ),
  schedule: text(
    { group: GROUP, what: 'When it runs, UTC', example: '0 7 * * *', default: '0 7 * * *' },
    'CRON',
    'five fields of cron',
    /^(\S+ ){4}\S+$/,
  ),
  secret: text(
    {
      group: GROUP,
      what: 'Secret of the namespace that holds the API key as API_KEY',
      example: 'ferry-events',
      default: 'ferry-events',
    },
    'NAME',
    NAME_TEXT,
    NAME,
  ),
  roleArn: optional(
    text(
      {
        group: GROUP,
        what: 'Role that its pods take by their service account: may put and list below its prefix, and no more',
        example: 'arn:aws:iam::111122223333:role/ferry-events',
        otherwise: 'none; needed with s3: aws',
      },
      'ARN',
      'the ARN of an IAM role',
      /^arn:aws[a-z-]*:iam::\d{12}:role\/[A-Za-z0-9+=,.@_/-]{1,512}$/,
    ),
  ),
  egress: field(
    { group: GROUP, what: 'Addresses of the API', example: '203.0.113.0/24', default: '0.0.0.0/0' },
    'CIDRS',
    'IPv4 networks with commas between them',
    parseCidrs,
  ),
  stateBytes: size({
    group: GROUP,
    what: 'Disk for what is pulled and not yet sealed, and for the local folder where there is one',
    example: '2Gi',
    default: '2Gi',
  }),
  from: day('First day of a backfill'),
  to: day('Last day of a backfill'),
});

export type EventsTarget = Readonly<z.output<typeof schema>>;

/** Undefined when the target has no events. @throws FerryError `config` with every problem and its line */
export function readEventsTarget(file: string, content: string): EventsTarget | undefined {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const config = document.get('config', true);
  const texts: Record<string, string> = {};
  const problems: string[] = [];
  const fields = Object.keys(schema.shape);
  const names = fields.map(settingName);
  let isOn = false;
  for (const { key, value } of isMap(config) ? config.items : []) {
    const name = isScalar(key) ? String(key.value) : '';
    if (!name.startsWith(EVENTS_SECTION)) continue;
    isOn = true;
    const { line, col } = lines.linePos(isScalar(key) ? (key.range?.[0] ?? 0) : 0);
    const where = `${file}:${line}:${col} ${name}`;
    const index = names.indexOf(name.slice(EVENTS_SECTION.length));
    if (index < 0) {
      const meant = nearest(name.slice(EVENTS_SECTION.length), names);
      problems.push(
        `${where} is unknown; ${meant === undefined ? `there is ${names.join(', ')}` : `did you mean ${meant}?`}`,
      );
    } else if (!isScalar(value) || value.value === null) problems.push(`${where} is not one value`);
    else texts[fields[index] ?? ''] = String(value.value);
  }
  if (!isOn) return undefined;
  const values: Record<string, string | undefined> = {};
  for (const [name, one] of Object.entries(schema.shape)) {
    const info = infoOf(one);
    values[name] = texts[name] ?? info.default;
    if (!one.safeParse(values[name]).success)
      problems.push(
        `${file} ${EVENTS_SECTION}${settingName(name)} ${values[name] === undefined ? 'is missing' : `${JSON.stringify(values[name])} is wrong`}: expected ${info.expected}, e.g. ${info.example}`,
      );
  }
  if ((texts.from === undefined) !== (texts.to === undefined) || (texts.from ?? '') > (texts.to ?? ''))
    problems.push(
      `${file} ${EVENTS_SECTION}from and ${EVENTS_SECTION}to are two days of a backfill, the first not after the last`,
    );
  if (problems.length === 0) return schema.parse(values);
  throw new FerryError(
    'config',
    `The events of ${file} are wrong:\n\n  ${problems.join('\n  ')}\n\n`,
    'Nothing was written.',
  );
}
