// How IAM compares names: wildcards in text, in actions and in ARNs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html

const known = new Map<string, RegExp>();

/** `*` is any text, the empty one included; `?` is one character; everything else is itself. */
export function matchesText(pattern: string, text: string, flags: '' | 'i' = ''): boolean {
  if (flags === '' && pattern === text) return true;
  const name = `${flags}:${pattern}`;
  let compiled = known.get(name);
  if (compiled === undefined) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.');
    compiled = new RegExp(`^${source}$`, `s${flags}u`);
    known.set(name, compiled);
  }
  return compiled.test(text);
}

/** Actions are compared without regard to case. */
export function matchesAction(pattern: string, action: string): boolean {
  return matchesText(pattern, action, 'i');
}

/** ARN by ARN, part by part: a wildcard reaches over no colon but in the last part. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = partsOf(pattern);
  const given = partsOf(arn);
  if (wanted.length < 6 || given.length < 6) return false;
  return wanted.every((part, index) => matchesText(part, given[index] ?? ''));
}

const knownParts = new Map<string, readonly string[]>();

/** `arn`, partition, service, region, account, and all the rest. */
export function partsOf(arn: string): readonly string[] {
  let found = knownParts.get(arn);
  if (found === undefined) {
    const parts = arn.split(':');
    found = parts.length > 5 ? [...parts.slice(0, 5), parts.slice(5).join(':')] : parts;
    knownParts.set(arn, found);
  }
  return found;
}
