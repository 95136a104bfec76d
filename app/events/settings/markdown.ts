// The settings file as a table for people, made from the same schema as everything else.
import { cell } from '../../core/settings/table.ts';
import { jsonSchema } from './schema.ts';

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** One row for each key; the keys of a key below it, with a dot between. */
export function schemaMarkdown(): string {
  const rows = rowsOf(jsonSchema() as Node, ''); // what zod made of our schema
  return ['| Key | Default | Meaning |', '|---|---|---|', ...rows, ''].join('\n');
}

function rowsOf({ properties = {} }: Node, above: string): string[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const key = above === '' ? name : `${above}.${name}`;
    // `metadata` repeats six of the keys beside it.
    const inner = name === 'metadata' ? [] : rowsOf(node, key);
    if (inner.length > 0 && node.description === undefined) return inner;
    const standard =
      inner.length > 0 || node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
    const row = [`\`${key}\``, standard, `${node.description ?? ''}`].map(cell).join(' | ');
    return [`| ${row} |`, ...inner];
  });
}
