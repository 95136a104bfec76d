// One setting, three spellings: the field in the code, the flag (and YAML key), the environment variable.

/** `volumeLimitBytes` -> `volume-limit`: the unit is the code's business; people write it in the value. */
export function settingName(field: string): string {
  return field.replace(/(Ms|Bytes)$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `volume-limit` -> `FERRY_VOLUME_LIMIT`. */
export function variableName(name: string): string {
  return `FERRY_${name.replaceAll('-', '_').toUpperCase()}`;
}

/**
 * Variables that Kubernetes sets in every pod beside a Service whose name starts with `ferry`
 * (`FERRY_SERVICE_HOST`, `FERRY_PORT=tcp://…`): nobody wrote them, so they are no misspelled settings.
 * https://kubernetes.io/docs/concepts/containers/container-environment/#cluster-information
 */
export function isServiceLink(variable: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$/.test(variable)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?$/.test(variable)) return true;
  return /_PORT$/.test(variable) && /^(tcp|udp|sctp):\/\//.test(value);
}

/** The known name that a misspelled one was probably meant to be; undefined when none is near. */
export function nearest(wrong: string, known: Iterable<string>): string | undefined {
  const word = wrong.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many letters must be added, removed, changed or swapped with their neighbour to make one word the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
