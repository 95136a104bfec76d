// Numbers and times as people read them.

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** @param {number} value */
export function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

/** @param {number} value per second */
export function perSecond(value) {
  return value < 100 ? value.toFixed(1) : count(value);
}

/** Bits: what a network is measured in. @param {number} bytesPerSecond */
export function bits(bytesPerSecond) {
  const value = bytesPerSecond * 8;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} Gbit/s`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} Mbit/s`;
  return `${(value / 1e3).toFixed(1)} kbit/s`;
}

/** @param {number} ms */
export function duration(ms) {
  let rest = Math.max(0, Math.round(ms / 1000));
  /** @type {string[]} */
  const parts = [];
  for (const [unit, seconds] of /** @type {const} */ ([
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ])) {
    const amount = Math.floor(rest / seconds);
    rest -= amount * seconds;
    if (amount > 0) parts.push(`${amount} ${unit}`);
  }
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
}

/** `2026-11-20 13:04:05`. @param {number} ms */
export function utc(ms) {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** The same on this machine's clock; '' where that is UTC. @param {number} ms */
export function local(ms) {
  const at = new Date(ms);
  if (at.getTimezoneOffset() === 0) return '';
  const zone = at.toLocaleTimeString('en-GB', { timeZoneName: 'short' }).split(' ').at(-1);
  return `${at.toLocaleDateString('sv-SE')} ${at.toLocaleTimeString('sv-SE')} ${zone}`;
}

/** UTC with the local time beside it. @param {number} ms */
export function time(ms) {
  const here = local(ms);
  return `${utc(ms)} UTC${here === '' ? '' : ` (${here})`}`;
}

/** Control characters and those that turn the direction of text are shown, not obeyed. @param {string} text */
export function plain(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`,
  );
}
