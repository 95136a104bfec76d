// Calendar days in UTC, as texts like `2026-11-20`: they sort as they follow each other.

const DAY_MS = 86_400_000;

/** Real dates only: 2026-02-30 is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(ms) && dayOf(ms) === text;
}

/** The day an instant lies in. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The first millisecond of a day. */
export function dayStartMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** `count` days later; earlier when negative. */
export function addDays(day: string, count: number): string {
  return dayOf(dayStartMs(day) + count * DAY_MS);
}

/** From the first to the last, both included; none when the last comes before the first. */
export function daysFrom(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}
