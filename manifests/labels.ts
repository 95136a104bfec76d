// Names and labels. Selectors cannot be changed once an object exists, so they hang on names that the settings give and
// never on how the charts are built.
import type { TargetSettings } from './settings/settings.ts';

export type Component = 'writer' | 's3';

/** The port of /metrics, /livez and /readyz: FERRY_LISTEN in the image. */
export const HEALTH_PORT = 9464;
export const S3_PORT = 7070;
export const S3_NAME = 'ferry-s3';

/** What selects a component's pods. */
export function selectorOf(settings: TargetSettings, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': component === 's3' ? S3_NAME : settings.name,
    'app.kubernetes.io/component': component,
  };
}

export function labelsOf(settings: TargetSettings, component: Component): Record<string, string> {
  return { ...selectorOf(settings, component), 'app.kubernetes.io/part-of': 'ferry' };
}
