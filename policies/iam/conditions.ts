// Condition blocks: each operator in one line of a table, and a third answer beside yes and no for keys whose value a
// proof leaves open.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
import { matchesArn, matchesText } from './patterns.ts';
import { objectOf, refuse, textsOf } from './refuse.ts';

export interface ConditionTest {
  /** As it is written, `IfExists` included. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export type Truth = 'yes' | 'no' | 'maybe';

/**
 * What is known of a request. A key that is not named is absent; `null` says so expressly; in an open context, keys that
 * are not named may have any value or none.
 */
export interface RequestContext {
  readonly values: Readonly<Record<string, string | null>>;
  readonly open: boolean;
}

export interface ConditionAnswer {
  readonly truth: Truth;
  /** The test and what it found: `StringEquals aws:SourceVpce vpce-1: is vpce-2`. */
  readonly because: string;
}

interface Operator {
  readonly matches: (wanted: string, given: string) => boolean;
  /** True for `Not…`: holds when no value matches, and when the key is absent. */
  readonly negated: boolean;
}

const numbers =
  (compare: (given: number, wanted: number) => boolean) =>
  (wanted: string, given: string): boolean =>
    given.trim() !== '' && compare(Number(given), Number(wanted));
const same = (wanted: string, given: string): boolean => wanted === given;
const sameLetters = (wanted: string, given: string): boolean => wanted.toLowerCase() === given.toLowerCase();
const like = (wanted: string, given: string): boolean => matchesText(wanted, given);

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { matches: same, negated: false },
  StringNotEquals: { matches: same, negated: true },
  StringEqualsIgnoreCase: { matches: sameLetters, negated: false },
  StringNotEqualsIgnoreCase: { matches: sameLetters, negated: true },
  StringLike: { matches: like, negated: false },
  StringNotLike: { matches: like, negated: true },
  NumericEquals: { matches: numbers((given, wanted) => given === wanted), negated: false },
  NumericNotEquals: { matches: numbers((given, wanted) => given === wanted), negated: true },
  NumericLessThan: { matches: numbers((given, wanted) => given < wanted), negated: false },
  NumericLessThanEquals: { matches: numbers((given, wanted) => given <= wanted), negated: false },
  NumericGreaterThan: { matches: numbers((given, wanted) => given > wanted), negated: false },
  NumericGreaterThanEquals: { matches: numbers((given, wanted) => given >= wanted), negated: false },
  Bool: { matches: sameLetters, negated: false },
  ArnEquals: { matches: matchesArn, negated: false },
  ArnLike: { matches: matchesArn, negated: false },
  ArnNotEquals: { matches: matchesArn, negated: true },
  ArnNotLike: { matches: matchesArn, negated: true },
};

/** @throws FerryError `config` for an operator, a set qualifier or a value that is not known here. */
export function readConditions(value: unknown, where: string): ConditionTest[] {
  if (value === undefined) return [];
  return Object.entries(objectOf(value, `${where}, Condition`)).flatMap(([operator, keys]) => {
    const base = baseOf(operator);
    if (operator !== 'Null' && !Object.hasOwn(OPERATORS, base))
      refuse(where, `the condition operator ${operator} is unknown`);
    return Object.entries(objectOf(keys, `${where}, ${operator}`)).map(([key, given]) => {
      const values = textsOf(given, `${where}, ${operator} ${key}`);
      if (!/^[^:\s]+:[^\s]+$/.test(key) || key.includes('${')) refuse(where, `${key} is no condition key`);
      for (const each of values) checkValue(base, each, `${where}, ${operator} ${key}`);
      if (operator === 'Null' && values.length > 1) refuse(where, `Null ${key} has more than one value`);
      return { operator, key, values };
    });
  });
}

function checkValue(operator: string, value: string, where: string): void {
  if ((operator === 'Bool' || operator === 'Null') && !/^(true|false)$/i.test(value))
    refuse(where, `${value} is neither true nor false`);
  if (operator.startsWith('Numeric') && !/^-?\d+(\.\d+)?$/.test(value))
    refuse(where, `${value} is no number`);
  if (operator.startsWith('Arn') && !value.startsWith('arn:')) refuse(where, `${value} is no ARN`);
}

function baseOf(operator: string): string {
  return operator.endsWith('IfExists') ? operator.slice(0, -'IfExists'.length) : operator;
}

/** Keys are compared without regard to case. */
export function testCondition(test: ConditionTest, context: RequestContext): ConditionAnswer {
  const { operator, key, values } = test;
  const said = `${operator} ${key} ${values.join(' or ')}`;
  const answer = (truth: Truth, found: string): ConditionAnswer => ({ truth, because: `${said}: ${found}` });
  const entry = Object.entries(context.values).find(([name]) => sameLetters(name, key));
  if (entry === undefined && context.open) return answer('maybe', 'left open');
  const given = entry?.[1] ?? undefined;
  const [wanted = ''] = values;
  if (operator === 'Null')
    return answer(
      (given === undefined) === (wanted.toLowerCase() === 'true') ? 'yes' : 'no',
      given === undefined ? 'absent' : `is ${given}`,
    );
  const rule = OPERATORS[baseOf(operator)];
  if (rule === undefined) return refuse(said, 'the operator is unknown');
  if (given === undefined)
    return answer(rule.negated || operator.endsWith('IfExists') ? 'yes' : 'no', 'absent');
  const matched = values.some((value) => rule.matches(value, given));
  return answer(matched === rule.negated ? 'no' : 'yes', `is ${given}`);
}
