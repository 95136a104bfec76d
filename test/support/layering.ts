// Which part of the program may import which: arrows go one way.

/** What a part may import beside itself; a folder or file of `app/` that is not named here is refused. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'all'>> = {
  core: [],
  files: ['core'],
  events: ['core'],
  sessions: ['core'],
  plan: ['core'],
  page: ['core', 'files'],
  demo: ['core', 'files'],
  commands: 'all',
  'command-line.ts': 'all',
  'main.ts': 'all',
  'bundle.ts': 'all',
};

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"`])([^'"`]+)\1/g;

/** What a source text imports, side effects and dynamic imports included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].map(([, , specifier]) => specifier ?? '');
}

/** The part a path below `app/` belongs to: its first folder, or the file itself. */
function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/**
 * One sentence for each import that goes the wrong way.
 * @param path below `app/`, with slashes
 */
export function wrongImports(path: string, source: string): string[] {
  const part = partOf(path);
  const allowed = MAY_IMPORT[part];
  if (allowed === undefined)
    return [`app/${path} belongs to no known part: say in layering.ts what it may import.`];
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith('.') || specifier.endsWith('/package.json')) return [];
    const target = new URL(specifier, `file:///app/${path}`).pathname;
    if (!target.startsWith('/app/'))
      return [`app/${path} imports ${specifier}, which is not part of the program.`];
    const to = partOf(target.slice('/app/'.length));
    if (to === part || allowed === 'all' || allowed.includes(to)) return [];
    return [`app/${path} (${part}) imports ${specifier}, which belongs to ${to}.`];
  });
}

/** What of the program the manifests may import: the plan, and what settings are written with. */
const MANIFESTS_MAY_IMPORT = [
  'plan/',
  'core/settings/',
  'core/units.ts',
  'core/errors.ts',
  'events/settings/',
];

/**
 * One sentence for each import of the manifests that leaves them for more than that.
 * @param path below `manifests/`, with slashes
 */
export function wrongManifestImports(path: string, source: string): string[] {
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith('.')) return [];
    const target = new URL(specifier, `file:///manifests/${path}`).pathname;
    if (target.startsWith('/manifests/')) return [];
    if (MANIFESTS_MAY_IMPORT.some((part) => target.startsWith(`/app/${part}`))) return [];
    return [`manifests/${path} imports ${specifier}, which is neither the plan nor settings nor units.`];
  });
}

/** What the Pulumi program may import beside itself: the charts with their settings, and how errors are said. */
const INFRA_MAY_IMPORT = ['/infra/', '/manifests/', '/app/core/settings/', '/app/core/errors.ts'];
/** The documents stand alone: whoever proves them needs nothing else. */
const DOCUMENTS = '/infra/documents/';

/**
 * One sentence for each import of the Pulumi program that leaves it for more than that.
 * @param path below `infra/`, with slashes
 */
export function wrongInfraImports(path: string, source: string): string[] {
  const allowed = `/infra/${path}`.startsWith(DOCUMENTS) ? [DOCUMENTS] : INFRA_MAY_IMPORT;
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith('.'))
      return allowed[0] === DOCUMENTS ? [`infra/${path} imports ${specifier}.`] : [];
    const target = new URL(specifier, `file:///infra/${path}`).pathname;
    return allowed.some((part) => target.startsWith(part))
      ? []
      : [`infra/${path} imports ${specifier}, which is not for it.`];
  });
}

/** What the policies may import beside themselves: plain functions, charts, settings, and what the program declares. */
const POLICIES_MAY_IMPORT = [
  '/policies/',
  DOCUMENTS,
  '/infra/declared.ts',
  '/manifests/',
  '/app/core/settings/',
  '/app/core/errors.ts',
  '/app/core/units.ts',
];

/**
 * One sentence for each import of the policies that leaves them for more than that.
 * @param path below `policies/`, with slashes
 */
export function wrongPolicyImports(path: string, source: string): string[] {
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith('.')) return [];
    const target = new URL(specifier, `file:///policies/${path}`).pathname;
    return POLICIES_MAY_IMPORT.some((part) => target.startsWith(part))
      ? []
      : [`policies/${path} imports ${specifier}, which is not for it.`];
  });
}
