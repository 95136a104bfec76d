// Durations and sizes as people write them ("24h", "2Gi"), and back.

const DURATION_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Suffixes of a Kubernetes quantity of bytes. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export const QUANTITY_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const SIZE_BYTES: Readonly<Record<string, number>> = { ...QUANTITY_BYTES, B: 1 };

/** "90s", "24h", "1h30m" -> milliseconds; undefined when it is no duration. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (DURATION_MS[unit ?? ''] ?? Number.NaN);
  }
  return Math.round(totalMs);
}

/** "2Gi", "500M", "1024" -> bytes, spelled as Kubernetes quantities; undefined when it is no size. */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(Ki|Mi|Gi|Ti|k|M|G|T|B)?$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (SIZE_BYTES[match[2] ?? ''] ?? Number.NaN));
}

/** Milliseconds -> the two largest units that matter: "2h 5m", "1m 3s", "250ms". */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000);
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}

/** Milliseconds -> one unit, as people write settings: "24h", "90m", "7d"; the largest that leaves no rest. */
export function writeDuration(ms: number): string {
  const exact = (['d', 'h', 'm', 's'] as const).find((unit) => ms > 0 && ms % (DURATION_MS[unit] ?? 1) === 0);
  // A retention of a day is written 24h.
  const unit = exact === 'd' && ms < 3 * 86_400_000 ? 'h' : (exact ?? 'ms');
  return ms === 0 ? '0' : `${ms / (DURATION_MS[unit] ?? 1)}${unit}`;
}

/** Bytes -> "1.5 MiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}
