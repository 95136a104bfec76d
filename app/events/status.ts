// The matrix of types and days: what is sealed with how many records, what is missing, what failed and why.
import { daysFrom } from './days.ts';
import { isOpenSeal, NOTHING_STORED, type StoredUnit, type UnitStates, unitName } from './units.ts';

export interface Cell {
  readonly type: string;
  readonly day: string;
  readonly state: 'sealed' | 'revised' | 'open' | 'failed' | 'missing';
  /** Null when the listing cannot tell, or when nothing is sealed. */
  readonly records: number | null;
  /** 0: nothing is sealed. */
  readonly revision: number;
  /** Of the last failed try; null when there is none since it was sealed. */
  readonly reason: string | null;
  readonly failedAt: string | null;
}

/** One cell for each type and day. A unit is only as good as the store that has least of it. */
export function statusCells(
  states: UnitStates,
  types: readonly string[],
  first: string,
  last: string,
): Cell[] {
  return types.flatMap((type) =>
    daysFrom(first, last).map((day): Cell => {
      const each = (states.get(unitName({ type, day })) ?? [NOTHING_STORED]).map((stored) =>
        cellOf(type, day, stored),
      );
      return each.reduce((worst, cell) =>
        ORDER.indexOf(cell.state) < ORDER.indexOf(worst.state) ? cell : worst,
      );
    }),
  );
}

const ORDER: readonly Cell['state'][] = ['failed', 'missing', 'open', 'revised', 'sealed'];

function cellOf(type: string, day: string, { sealed, failed }: StoredUnit): Cell {
  if (sealed === undefined) {
    const state = failed === undefined ? 'missing' : 'failed';
    const why = { reason: failed?.reason ?? null, failedAt: failed?.at ?? null };
    return { type, day, state, records: null, revision: 0, ...why };
  }
  const { revision, facts } = sealed;
  const state = isOpenSeal(sealed) ? 'open' : revision > 1 ? 'revised' : 'sealed';
  const records = facts?.records === undefined ? null : Number(facts.records);
  return { type, day, state, records, revision, reason: null, failedAt: null };
}

/** The matrix for people, a line for each day. */
export function statusText(cells: readonly Cell[], label: string): string {
  const types = [...new Set(cells.map(({ type }) => type))];
  const days = [...new Set(cells.map(({ day }) => day))];
  const find = (type: string, day: string): string => {
    const cell = cells.find((each) => each.type === type && each.day === day);
    return cell === undefined ? '' : cellText(cell);
  };
  const rows = [['day', ...types], ...days.map((day) => [day, ...types.map((type) => find(type, day))])];
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const count = (state: Cell['state']): number => cells.filter((cell) => cell.state === state).length;
  const missing = count('missing') + count('failed');
  const verdict =
    missing === 0
      ? 'Every day is sealed.'
      : `${missing} of ${cells.length} are not sealed; \`ferry events\` moves them.`;
  return `${label}\n\n${lines.join('\n')}\n\n${verdict}\n`;
}

function cellText({ state, records, revision, reason }: Cell): string {
  const count = records === null ? 'sealed' : records.toLocaleString('en-US');
  switch (state) {
    case 'sealed':
      return count;
    case 'revised':
      return `${count} (revision ${revision})`;
    case 'open':
      return `${count} so far`;
    case 'failed':
      return `failed: ${reason}`;
    case 'missing':
      return 'missing';
  }
}
