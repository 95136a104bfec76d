// Policy language in plain words, and the bits of Markdown that the review is made of.

const WORDS: Readonly<Record<string, string>> = {
  StringEquals: 'is',
  StringNotEquals: 'is not',
  StringLike: 'is like',
  StringNotLike: 'is not like',
  NumericLessThan: 'is less than',
  Bool: 'is',
};

/** Conditions as the documents have them, and what each means for who calls. */
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/^not \(Bool aws:SecureTransport false\), by (\w+)$/, 'over TLS ($1)'],
  [/^not \(NumericLessThan s3:TlsVersion ([\d.]+)\), by (\w+)$/, 'over TLS $1 or newer ($2)'],
  [
    /^not \(Bool s3:ObjectCreationOperation true and Null s3:if-none-match true\), by (\w+)$/,
    'where no object has this key yet ($1)',
  ],
  [/^not \(StringNotEquals aws:SourceVpce (\S+)\), by (\w+)$/, 'through `$1` ($2)'],
  [/^StringEquals aws:SourceVpce (\S+)$/, 'through `$1`'],
  [/^StringLike s3:prefix (\S+)\*$/, 'for names that begin with `$1`'],
  [/^StringEquals kms:ViaService (\S+)$/, 'asked by `$1` for it'],
];

/**
 * "not (Bool aws:SecureTransport false), by RefusePlainConnections" -> "over TLS (RefusePlainConnections)"; what has no
 * plainer words keeps its keys: `StringEquals a:b c` -> "`a:b` is `c`".
 */
export function inWords(condition: string): string {
  for (const [pattern, words] of PLAIN) if (pattern.test(condition)) return condition.replace(pattern, words);
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
