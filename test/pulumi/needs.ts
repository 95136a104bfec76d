// What a test of this suite needs, and the reason to name when the machine lacks it.
import { NEEDS } from './prepare.ts';

/** The first thing that is missing; false when all is there. */
export function lacks(...needs: readonly (keyof typeof NEEDS)[]): string | false {
  return needs.map((need) => process.env[NEEDS[need]]).find((why) => why !== undefined) ?? false;
}
