// The events of one target as charts.
import { App } from 'cdk8s';
import { readTarget } from '../settings/read.ts';
import type { Target } from '../target.ts';
import { podValues } from '../values.ts';
import { EventsChart } from './chart.ts';
import { eventTypes, readEventsTarget } from './settings.ts';

/**
 * Undefined when the target's file turns no events on.
 * @param file the target's file, as it is named in errors
 * @param read reads the settings file of `ferry events` that it names
 */
export function eventsTarget(
  name: string,
  file: string,
  content: string,
  read: (path: string) => string,
): Target | undefined {
  const events = readEventsTarget(file, content);
  if (events === undefined) return undefined;
  const settings = readTarget(file, content);
  const text = read(events.settings);
  const input = { settings, events, file: text, types: eventTypes(events.settings, text) };
  const chart = new EventsChart(new App(), '4-events', input);
  return { name, settings, values: podValues(settings), charts: new Map([['4-events', chart]]) };
}
