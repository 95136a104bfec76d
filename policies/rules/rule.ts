// What a rule is: a name, what it protects from, how bad that is, what to do, where it is written; and a pure check.

export interface RuleText {
  /** As findings, waivers and the review name it. */
  readonly name: string;
  readonly protectsFrom: string;
  readonly severity: 'high' | 'medium' | 'low';
  readonly remedy: string;
  /** A control's id where one exists, or the page that describes the trap. */
  readonly reference: string;
}

export interface Found {
  /** `staging/Deployment/file-writer`, or an ARN. */
  readonly object: string;
  /** A sentence without its full stop. */
  readonly what: string;
}

export interface Rule<Subject> extends RuleText {
  readonly check: (subject: Subject) => Found[];
  /** Whether the subject has anything that the rule is about. Default: it has. */
  readonly concerns?: (subject: Subject) => boolean;
}

export interface Finding extends Found {
  readonly rule: RuleText;
}

export function findings<Subject>(rules: readonly Rule<Subject>[], subject: Subject): Finding[] {
  return rules.flatMap((rule) => rule.check(subject).map((found) => ({ ...found, rule })));
}
