// What a document may hold besides this evaluator's own language: nothing. Each refusal says where and what.
import { FerryError } from '../../app/core/errors.ts';

/** @throws FerryError `config`, always. */
export function refuse(where: string, what: string): never {
  throw new FerryError(
    'config',
    `${where}: ${what}.`,
    'Write the document without it, or teach policies/iam what it means, with cases in test/policies/iam/cases.',
  );
}

/** One text or a list of them, none empty, none with a policy variable. */
export function textsOf(value: unknown, where: string): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) refuse(where, 'the list is empty');
  return list.map((item) => {
    if (typeof item !== 'string' || item === '') refuse(where, `${JSON.stringify(item)} is no text`);
    if (item.includes('${')) refuse(where, `${item} has a policy variable`);
    return item;
  });
}

export function objectOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, 'it is no object');
  return { ...value };
}
