// Policy language in plain words, and the bits of Markdown that the review is made of.

const WORDS: Readonly<Record<string, string>> = {
  StringEquals: 'is',
  StringNotEquals: 'is not',
  StringLike: 'is like',
  StringNotLike: 'is not like',
  NumericLessThan: 'is less than',
  Bool: 'is',
};

/** `StringLike s3:prefix site-1/*` -> "`s3:prefix` is like `site-1/*`" */
export function inWords(condition: string): string {
  return condition
    .replace(/^not \((.*)\), by (\S+)$/, 'unless $1 ($2)')
    .replace(
      /\b(Null|StringEquals|StringNotEquals|StringLike|StringNotLike|NumericLessThan|Bool) (\S+) ([^\s,;)]+(?: or [^\s,;)]+)*)/g,
      (_, operator: string, key: string, value: string) =>
        operator === 'Null'
          ? `${code(key)} is ${value === 'true' ? 'absent' : 'present'}`
          : `${code(key)} ${WORDS[operator] ?? operator} ${code(value)}`,
    );
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** No row is no table: one line that says so. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['None.'];
  return [head, head.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
}
