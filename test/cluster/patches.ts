// Changes to a site's objects for tests: what no setting gives, such as a writer that is faster than planned.
import assert from 'node:assert/strict';
import { at, list } from '../manifests/targets.ts';
import { POD } from './site.ts';

/** Changes one object after the other; an object that is of no concern is left as it is. */
export type Patch = (documents: readonly unknown[]) => void;

/** Several, in this order. */
export function all(...patches: readonly Patch[]): Patch {
  return (documents) => {
    for (const patch of patches) patch(documents);
  };
}

/** Adds these flags to Ferry's, or puts them in the place of those of the same name. */
export function ferryFlags(...flags: readonly string[]): Patch {
  return changeWriter((deployment) => setFlags(at(deployment, [...POD, 'initContainers', 0]), flags));
}

/** The same for the writer's stand-in. */
export function writerFlags(...flags: readonly string[]): Patch {
  return changeWriter((deployment) => setFlags(at(deployment, [...POD, 'containers', 0]), flags));
}

/** The writer's notes on a claim of their own, so that they outlive its pods. */
export function keptNotes(claim: string): Patch {
  return changeWriter((deployment) => {
    const notes = list(at(deployment, [...POD, 'volumes'])).find(
      (volume) => at(volume, ['name']) === 'notes',
    );
    Reflect.deleteProperty(Object(notes), 'emptyDir');
    Reflect.set(Object(notes), 'persistentVolumeClaim', { claimName: claim });
  });
}

/** Changes the one Deployment of the writer. */
export function changeWriter(change: (deployment: unknown) => void): Patch {
  return (documents) => {
    for (const document of documents)
      if (at(document, ['kind']) === 'Deployment' && at(document, ['metadata', 'name']) === 'file-writer')
        change(document);
  };
}

function setFlags(container: unknown, flags: readonly string[]): void {
  const names = flags.map((flag) => flag.split('=')[0]);
  const before = list(at(container, ['args'])).map(String);
  assert.ok(before.length > 0);
  const kept = before.filter((flag) => !names.includes(flag.split('=')[0]));
  Reflect.set(Object(container), 'args', [...kept, ...flags]);
}
