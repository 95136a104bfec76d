// The patch guard: whatever is set past the chart library's own types is written down here, and read back from the
// final YAML. The library drops some of it without a word (a field its generated schema of 1.27 does not know, a patch
// in another spelling), and a pod without its `restartPolicy: Always` never starts its writer.
import { isDeepStrictEqual } from 'node:util';
import { ApiObject, JsonPatch } from 'cdk8s';
import { type Construct, Node } from 'constructs';

const EXPECTED = 'ferry:expected';

/** One value that the final YAML must hold. */
interface Expected {
  readonly kind: string;
  readonly name: string;
  /** JSON pointer: `/spec/template/spec/initContainers/0/restartPolicy`. */
  readonly pointer: string;
  readonly value: unknown;
}

/** Any Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: { readonly [name: string]: string };
  };
  readonly spec?: object;
}

/** Adds an object that the library has no type for, as it is; every value of it is guarded. */
export function addObject(scope: Construct, manifest: Manifest): ApiObject {
  const object = new ApiObject(scope, `${manifest.kind}-${manifest.metadata?.name}`, { ...manifest });
  for (const [pointer, value] of leaves(manifest)) expectInYaml(object, pointer, value);
  return object;
}

/** Sets a field of an object that the library made. */
export function setPastTypes(object: ApiObject, pointer: string, value: unknown): void {
  object.addJsonPatch(JsonPatch.add(pointer, value));
  expectInYaml(object, pointer, value);
}

/** Writes down that the final YAML must hold this. */
export function expectInYaml(object: ApiObject, pointer: string, value: unknown): void {
  const expected: Expected = { kind: object.kind, name: object.name, pointer, value };
  Node.of(object).addMetadata(EXPECTED, expected);
}

/** One sentence for each value below `scope` that the documents, parsed from the final YAML, do not hold. */
export function lostFields(scope: Construct, documents: readonly unknown[]): string[] {
  const lost: string[] = [];
  for (const construct of Node.of(scope).findAll())
    for (const { type, data } of Node.of(construct).metadata) {
      if (type !== EXPECTED) continue;
      // Only expectInYaml writes metadata of this type.
      const { kind, name, pointer, value } = data as Expected;
      const found = documents.filter(
        (document) => at(document, '/kind') === kind && at(document, '/metadata/name') === name,
      );
      const now = found.map((document) => at(document, pointer));
      if (now.length !== 1 || !isDeepStrictEqual(now[0], value))
        lost.push(
          `${kind} ${name}: ${pointer} was set to ${JSON.stringify(value)} and the YAML holds ${found.length === 0 ? 'no such object' : now.map((one) => JSON.stringify(one) ?? 'nothing').join(' and ')}.`,
        );
    }
  return lost;
}

/** Every value that is neither object nor list, and every empty one, with its JSON pointer. */
function* leaves(value: unknown, pointer = ''): Generator<[pointer: string, value: unknown]> {
  if (value === undefined) return;
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) {
    yield [pointer, value];
    return;
  }
  for (const [key, inner] of Object.entries(value))
    yield* leaves(inner, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

function at(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
