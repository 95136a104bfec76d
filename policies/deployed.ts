// What a target deploys, from its file of settings: the resources that the Pulumi program declares, and the YAML.
import { join } from 'node:path';
import { declaredFor } from '../infra/declared.ts';
import { readEvents } from '../manifests/events/read.ts';
import { NO_KEYS } from '../manifests/s3-keys.ts';
import { readBeside, readText } from '../manifests/settings/files.ts';
import { readTarget } from '../manifests/settings/read.ts';
import { documentsOf, synthesize } from '../manifests/synth.ts';
import { targetCharts } from '../manifests/target.ts';
import { type TargetInReview, targetInReview } from './target.ts';

const STRAY =
  'Each folder below dist belongs to one such file: take away what belongs to none, or name the targets.';

/**
 * Nothing is looked up; where only the account knows a name, a stand-in says so.
 * @param directory of Pulumi.<target>.yaml
 * @param documents of the YAML files, or as `npm run synth` would write them now
 * @throws FerryError `config` for settings that are missing or refused
 */
export async function declaredTarget(
  directory: string,
  target: string,
  documents: readonly unknown[] | 'synthesized',
): Promise<TargetInReview> {
  const content = readText(join(directory, `Pulumi.${target}.yaml`), STRAY);
  return declaredByContent(target, content, (path) => readBeside(directory, path), documents);
}

/**
 * The same for settings at hand.
 * @param read reads a file that the settings name
 */
export async function declaredByContent(
  target: string,
  content: string,
  read: (path: string) => string,
  documents: readonly unknown[] | 'synthesized',
): Promise<TargetInReview> {
  const file = `Pulumi.${target}.yaml`;
  const settings = readTarget(file, content);
  const asked = { settings, events: readEvents(file, content, settings, read) };
  const resources = await declaredFor(target, settings, asked.events);
  if (documents !== 'synthesized') return targetInReview(target, asked, resources, documents);
  const files = await synthesize(targetCharts(target, settings, () => NO_KEYS, asked.events));
  return targetInReview(target, asked, resources, [...files.values()].flatMap(documentsOf));
}
