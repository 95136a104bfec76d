// Targets for tests: the two that are delivered, and any other by a line or two of settings; and their final YAML.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '../../manifests/events/read.ts';
import { readBeside } from '../../manifests/settings/files.ts';
import { readTarget } from '../../manifests/settings/read.ts';
import { documentsOf, type Files, synthesize } from '../../manifests/synth.ts';
import { type Target, targetCharts } from '../../manifests/target.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const KEYS = { accessKeyId: 'ferry-test-key', secretAccessKey: 'a-secret-of-more-than-32-characters' };
export const DIGEST = `sha256:${'ab12'.repeat(16)}`;

/** Enough settings for each `s3`, to be added to. */
export const LEAST = {
  aws: {
    image: `registry.example.com/ferry@${DIGEST}`,
    bucket: 'acme-ferry',
    'role-arn': 'arn:aws:iam::111122223333:role/ferry',
    rate: '12',
    size: '1Ki',
  },
  'in-cluster': {
    s3: 'in-cluster',
    image: 'ferry:dev',
    's3-image': 'versity/versitygw:v1.8.0',
    bucket: 'demo-bucket',
    rate: '12',
    size: '1Ki',
  },
} as const;

/** A settings file with these names and values, one a line from line 2 on. */
export function settingsFile(values: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ferry:${name}: ${value}\n`],
  );
  return `config:\n${lines.join('')}`;
}

export function targetOf(
  s3: keyof typeof LEAST,
  values: Readonly<Record<string, string | undefined>> = {},
): Target {
  const settings = readTarget('Pulumi.test.yaml', settingsFile({ ...LEAST[s3], ...values }));
  return targetCharts('test', settings, () => KEYS);
}

export function deliveredTarget(name: 'minikube' | 'staging'): Target {
  const file = `Pulumi.${name}.yaml`;
  return targetFrom(name, readFileSync(join(ROOT, file), 'utf8'), (path) => readBeside(ROOT, path));
}

/** A target as `npm run synth` makes it of its file and of those it names. */
export function targetFrom(name: string, content: string, read: (path: string) => string): Target {
  const file = `Pulumi.${name}.yaml`;
  const settings = readTarget(file, content);
  return targetCharts(name, settings, () => KEYS, readEvents(file, content, settings, read));
}

/** A Kubernetes object as a test walks through it. */
export interface Found {
  readonly files: Files;
  /** Everything in the YAML texts. */
  readonly documents: readonly unknown[];
  /** The value at a path below the one object of this kind and name; undefined when it is not there. */
  get(kind: string, name: string, ...path: readonly (string | number)[]): unknown;
}

/** What the final YAML texts say. */
export async function synthesized(target: Target): Promise<Found> {
  const files = await synthesize(target);
  const documents = [...files.values()].flatMap(documentsOf);
  return {
    files,
    documents,
    get(kind, name, ...path) {
      const found = documents.filter(
        (document) => at(document, ['kind']) === kind && at(document, ['metadata', 'name']) === name,
      );
      if (found.length > 1) throw new Error(`There are ${found.length} ${kind} ${name}.`);
      return at(found[0], path);
    },
  };
}

export function at(value: unknown, path: readonly (string | number)[]): unknown {
  let now = value;
  for (const key of path) {
    if (now === null || typeof now !== 'object') return undefined;
    now = Reflect.get(now, key);
  }
  return now;
}

/** The pod template of every Deployment. */
export function podsOf(documents: readonly unknown[]): { name: string; spec: unknown }[] {
  return documents
    .filter((document) => at(document, ['kind']) === 'Deployment')
    .map((document) => ({
      name: String(at(document, ['metadata', 'name'])),
      spec: at(document, ['spec', 'template', 'spec']),
    }));
}

/** A list of objects, or nothing. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
