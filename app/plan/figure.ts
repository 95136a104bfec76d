// A number of the plan with its unit and the arithmetic that led to it, and how such numbers are written for people.
import { formatDuration } from '../core/units.ts';

export type Unit =
  | 'files'
  | 'files/day'
  | 'files/s'
  | 'bytes'
  | 'inodes'
  | 'share'
  | 'ms'
  | 's'
  | 'millicores'
  | 'bit/s'
  | 'requests/day'
  | 'USD/day'
  | 'USD/month';

/** One planned number. `why` is its arithmetic in one line, without a full stop. */
export interface Figure {
  readonly value: number;
  readonly unit: Unit;
  readonly why: string;
}

export function figure(value: number, unit: Unit, why: string): Figure {
  return { value, unit, why };
}

/** The value as people read it: "2.0 GiB", "518,400 files", "$5.18 a day". */
export function shown({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'share':
      return `${number(value * 100)} %`;
    case 'ms':
      return formatDuration(value);
    case 's':
      return formatDuration(value * 1_000) || '0s';
    case 'millicores':
      return `${number(value)}m`;
    case 'bit/s':
      return bitRate(value);
    case 'USD/day':
      return `${dollars(value)} a day`;
    case 'USD/month':
      return `${dollars(value)} a month`;
    case 'files/day':
      return `${number(value)} files a day`;
    case 'files/s':
      return `${number(value)} files/s`;
    case 'requests/day':
      return `${number(value)} requests a day`;
    case 'files':
    case 'inodes':
      return `${number(value)} ${unit}`;
  }
}

/** 518400 -> "518,400"; fractions keep up to three digits. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  const rounded = Number(value.toFixed(digits));
  const [whole = '', fraction] = String(rounded).split('.');
  if (/e/.test(whole)) return String(rounded);
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Bytes with one digit behind the point: "2.0 GiB". Whole blocks of 1,024 and less stay whole: "4 KiB", "512 B". */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  const text = unit < 2 && Number.isInteger(scaled) ? String(scaled) : scaled.toFixed(unit === 0 ? 0 : 1);
  return `${text} ${units[unit]}`;
}

export function bitRate(value: number): string {
  if (value >= 1e9) return `${number(value / 1e9)} Gbit/s`;
  if (value >= 1e6) return `${number(value / 1e6)} Mbit/s`;
  return `${number(value / 1e3)} kbit/s`;
}

/** "$5.18"; below a cent as many digits as it takes to see something. */
export function dollars(value: number): string {
  if (value === 0) return '$0';
  if (value < 0.01) return `$${value.toPrecision(1)}`;
  if (value >= 1_000) return `$${number(value)}`;
  return `$${value.toFixed(2)}`;
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
