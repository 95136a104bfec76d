// What the objects of `ferry events` are called.

/** Of its CronJob, its service account and everything beside them. */
export const EVENTS_NAME = 'ferry-events';
