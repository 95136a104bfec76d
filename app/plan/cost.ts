// What S3 bills for it: requests, storage in the first month and with the lifetime reached, and what packing would save.
import { formatDuration } from '../core/units.ts';
import { bytes, dollars, type Figure, figure, number } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { DAY_MS, FILES_PER_PACK, MONTH_DAYS } from './measured.ts';
import { CLASSES, PRICES } from './prices.ts';
import type { TrafficPlan } from './traffic.ts';

export interface CostPlan {
  readonly putDollarsPerDay: Figure;
  /** PUT, LIST and, in other classes than STANDARD, the moves into them. */
  readonly requestDollarsPerMonth: Figure;
  readonly storageDollarsFirstMonth: Figure;
  /** Once the oldest objects have reached their lifetime; of the twelfth month when they are kept for ever. */
  readonly storageDollarsPerMonth: Figure;
  readonly dollarsFirstMonth: Figure;
  readonly dollarsPerMonth: Figure;
  /** Not built yet: many small files in one object. */
  readonly packingSavesDollarsPerMonth: Figure;
}

const GIB = 2 ** 30;

export function planCost(inputs: PlanInputs, traffic: TrafficPlan): CostPlan {
  const { storageClass, lifetimeMs } = inputs;
  const price = CLASSES[storageClass];
  const files = traffic.filesPerDay.value;
  const [puts, lists] = [traffic.putsPerDay.value, traffic.listsPerDay.value];
  const putsPerDay = (puts / 1_000) * PRICES.putPer1000;
  const listsPerDay = (lists / 1_000) * PRICES.listPer1000;
  const movesPerDay = (files / 1_000) * price.transitionPer1000;
  const requests = (putsPerDay + listsPerDay + movesPerDay) * MONTH_DAYS;

  const each = traffic.contentBytesPerDay.value / Math.max(1, files);
  const billedEach = Math.max(each, price.minBilledBytes) + price.overheadBytes;
  const perDayMonth =
    ((files * billedEach) / GIB) * price.perGibMonth +
    ((files * price.standardOverheadBytes) / GIB) * CLASSES.STANDARD.perGibMonth;
  const lifetimeDays = Math.min(lifetimeMs / DAY_MS, 365);
  const firstDays = Math.min(MONTH_DAYS / 2, lifetimeDays);
  const [first, steady] = [perDayMonth * firstDays, perDayMonth * lifetimeDays];
  const kept = Number.isFinite(lifetimeMs)
    ? `kept for ${formatDuration(lifetimeMs)}`
    : 'kept for ever: after a year';
  const beyond =
    lifetimeMs > 365 * DAY_MS && Number.isFinite(lifetimeMs) ? ', of which the plan counts a year' : '';
  const billed =
    billedEach > each
      ? `${bytes(billedEach)} billed for each of ${bytes(each)} in ${storageClass}`
      : `${bytes(files * billedEach)} a day in ${storageClass}`;

  const packedPuts = Math.ceil(files / FILES_PER_PACK);
  const saved = Math.max(0, ((puts - packedPuts) / 1_000) * PRICES.putPer1000 * MONTH_DAYS);
  const small = each <= 128 * 1_024;

  return {
    putDollarsPerDay: figure(
      putsPerDay,
      'USD/day',
      `${number(puts)} PUTs x $${PRICES.putPer1000} per 1,000 (${PRICES.region}, ${PRICES.asOf})`,
    ),
    requestDollarsPerMonth: figure(
      requests,
      'USD/month',
      `(${dollars(putsPerDay)} for PUT + ${dollars(listsPerDay)} for LIST${movesPerDay > 0 ? ` + ${dollars(movesPerDay)} for moving to ${storageClass}` : ''}) x ${MONTH_DAYS} days`,
    ),
    storageDollarsFirstMonth: figure(
      first,
      'USD/month',
      `${billed} x ${number(firstDays)} days on average x $${price.perGibMonth} per GiB`,
    ),
    storageDollarsPerMonth: figure(
      steady,
      'USD/month',
      `${billed} x ${number(lifetimeDays)} days, ${kept}${beyond}`,
    ),
    dollarsFirstMonth: figure(
      requests + first,
      'USD/month',
      `${dollars(requests)} requests + ${dollars(first)} storage`,
    ),
    dollarsPerMonth: figure(
      requests + steady,
      'USD/month',
      `${dollars(requests)} requests + ${dollars(steady)} storage`,
    ),
    packingSavesDollarsPerMonth: figure(
      small ? saved : 0,
      'USD/month',
      small
        ? `${number(FILES_PER_PACK)} files to an object are ${number(packedPuts)} PUTs a day instead of ${number(puts)}; not built yet`
        : `files of ${bytes(each)} are too large for it to matter`,
    ),
  };
}
