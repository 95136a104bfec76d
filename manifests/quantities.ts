// Values that only manifests have: image names, CPU, networks; and how bytes are written for Kubernetes.

type Parsed<T> = { value: T } | { wrong: string };

const DIGEST = /@sha256:[0-9a-f]{64}$/;
const NAME = /^[a-z0-9]+([._-][a-z0-9]+)*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;

export function parseImage(text: string): Parsed<string> {
  const name = text.replace(/@.*$/s, '').replace(/:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, '');
  if (!NAME.test(name)) return { wrong: 'is no image name' };
  if (text.includes('@')) return DIGEST.test(text) ? { value: text } : { wrong: 'has a digest that is none' };
  if (name === text) return { wrong: 'has neither tag nor digest, so it means whatever is newest' };
  return text.endsWith(':latest') ? { wrong: 'means whatever is newest' } : { value: text };
}

/** Whether the name says exactly which image it is. */
export function isPinned(image: string): boolean {
  return DIGEST.test(image);
}

/** "250m", "1", "0.5" -> millicores. */
export function parseCpu(text: string): Parsed<number> {
  const match = /^(?:(\d{1,6})m|(\d{1,4}(?:\.\d{1,3})?))$/.exec(text);
  if (!match) return { wrong: 'is no amount of CPU' };
  const millicores = match[1] === undefined ? Math.round(Number(match[2]) * 1_000) : Number(match[1]);
  return millicores > 0 ? { value: millicores } : { wrong: 'must be more than nothing' };
}

/** "10.0.0.0/16,10.1.0.0/16" -> one by one. */
export function parseCidrs(text: string): Parsed<readonly string[]> {
  const cidrs = text.split(',').map((part) => part.trim());
  const wrong = cidrs.find((cidr) => !isCidr(cidr));
  return wrong === undefined
    ? { value: cidrs }
    : { wrong: `names ${JSON.stringify(wrong)}, which is no network` };
}

function isCidr(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return false;
  const [bits, ...octets] = match.slice(1).map(Number).reverse();
  return bits !== undefined && bits <= 32 && octets.every((octet) => octet <= 255);
}

/** Bytes as a Kubernetes quantity, exact: "20Gi", "3174Mi", "1536Ki", "1000". */
export function byteQuantity(bytes: number): string {
  if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}Gi`;
  if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20}Mi`;
  if (bytes % 2 ** 10 === 0) return `${bytes / 2 ** 10}Ki`;
  return String(bytes);
}

/** Thousandths of a core: "250m". */
export function cpuQuantity(millicores: number): string {
  return `${millicores}m`;
}

/** Milliseconds as one flag's value, exact: "24h", "10m", "1500ms". */
export function durationFlag(ms: number): string {
  for (const [unit, unitMs] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const)
    if (ms > 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  return `${ms}ms`;
}
