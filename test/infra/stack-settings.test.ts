// The stack's settings are those of its file, and of nothing beside it; what Pulumi.yaml declares is what the schema says.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { FerryError } from '../../app/core/errors.ts';
import { declaredConfig } from '../../infra/declared-config.ts';
import { ENTRY_POINT } from '../../infra/outputs.ts';
import { stackEvents, stackSettings } from '../../infra/stack-settings.ts';
import { LEAST, ROOT, settingsFile } from '../manifests/targets.ts';
import { tempDir } from '../support/temp.ts';

const given = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`ferry:${name}`, value]));

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FerryError) return `${error.message} ${error.remedy}`;
    throw error;
  }
  return assert.fail('nothing was refused');
}

test('the file is read, and Pulumi’s own defaults beside it change nothing', async (t) => {
  const directory = await tempDir(t);
  writeFileSync(join(directory, 'Pulumi.test.yaml'), settingsFile(LEAST.aws));
  const defaults = Object.fromEntries(
    Object.entries(declaredConfig()).map(([name, one]) => [`ferry:${name}`, String(one.default)]),
  );
  const told = { ...defaults, ...given(LEAST.aws), 'aws:region': 'us-east-1' };
  assert.equal(stackSettings(directory, 'test', told).bucket, LEAST.aws.bucket);
});

test('what Pulumi was given beside the file is refused by its name', async (t) => {
  const directory = await tempDir(t);
  writeFileSync(join(directory, 'Pulumi.test.yaml'), settingsFile(LEAST.aws));
  const told = given({ ...LEAST.aws, bucket: 'another-bucket', 'deep-archive-days': '365' });
  const text = refusalOf(() => stackSettings(directory, 'test', told));
  assert.match(text, /given ferry:bucket, ferry:deep-archive-days otherwise than Pulumi\.test\.yaml says/);
});

test('events are those of the file, and what was given beside it is refused', async (t) => {
  const directory = await tempDir(t);
  const role = 'arn:aws:iam::111122223333:role/ferry-events';
  const content = `${settingsFile({ ...LEAST.aws, prefix: 'site-1' })}  ferry-events:settings: events.yaml\n  ferry-events:role-arn: ${role}\n  ferry-events:from: 2026-01-01\n  ferry-events:to: 2026-01-31\n`;
  writeFileSync(join(directory, 'Pulumi.test.yaml'), content);
  const file = 'url: https://api.example.com\ns3_bucket: acme-ferry\ns3_key: events\nevents: [charge]\n';
  writeFileSync(join(directory, 'events.yaml'), file);
  const told = {
    'ferry-events:settings': 'events.yaml',
    'ferry-events:role-arn': role,
    // As Pulumi's YAML reads days without quotes.
    'ferry-events:from': '2026-01-01 00:00:00 +0000 UTC',
    'ferry-events:to': '2026-01-31 00:00:00 +0000 UTC',
  };
  const settings = stackSettings(directory, 'test', given({ ...LEAST.aws, prefix: 'site-1' }));
  assert.equal(stackEvents(directory, 'test', settings, told)?.prefix, 'events');
  for (const other of [{}, { ...told, 'ferry-events:secret': 'another' }])
    assert.match(
      refusalOf(() => stackEvents(directory, 'test', settings, other)),
      /given ferry-events:\* otherwise than Pulumi\.test\.yaml says/,
    );
});

test('a stack without its file is told how stacks are called', async (t) => {
  const directory = await tempDir(t);
  assert.match(
    refusalOf(() => stackSettings(directory, 'prod', {})),
    /Pulumi\.prod\.yaml does not exist\. A stack is called like its file/,
  );
});

test('Pulumi.yaml declares every setting with the type, default and description of the schema', () => {
  const project = parse(readFileSync(join(ROOT, 'Pulumi.yaml'), 'utf8'));
  assert.deepEqual(project.config, declaredConfig(), 'run `npm run docs`');
  assert.equal(project.runtime.options.typescript, false);
});

test('the doctor is started as the image starts', () => {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1];
  assert.deepEqual(ENTRY_POINT, JSON.parse(entry ?? ''));
});
