// Makes the program that is shipped: `npm run bundle` turns app/main.ts and all it imports into build/ferry.mjs and
// its parts.
import { rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { pageFiles } from './page/assets.ts';

const ROOT = join(import.meta.dirname, '..');

/** Packages written for CommonJS call these; a module has none of them. */
const COMMONJS_NAMES = [
  "const require = process.getBuiltinModule('module').createRequire(import.meta.url);",
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** Modules of Node that few uses of the program need, or that load others when all their names are read. */
const LOADED_LATE = /^(node:)?(http|https|tls|child_process|worker_threads|fs\/promises|util)$/;

/**
 * Packages that load much of Node to ask little of it: pino whether it runs in a worker; undici for the most bytes of an
 * answer's headers (https://nodejs.org/api/cli.html#--max-http-header-sizesize) and whether a body is a server's request,
 * which none is here. Told: 1.5 MiB less resident.
 */
const TOLD = [
  { by: /\/node_modules\/(pino|thread-stream)\//, of: 'worker_threads', is: '{ isMainThread: true }' },
  {
    by: /\/undici\/lib\/(core\/util|dispatcher\/client)\.js$/,
    of: 'node:http',
    is: '{ maxHeaderSize: 16384, IncomingMessage: undefined }',
  },
];

/** A name that a getter computes is not among them: who imports it in app/ fails to be built. */
function valuesOf(path: string): string[] {
  const all = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(path)));
  return all.flatMap(([name, { get }]) => (get || name === 'default' ? [] : [name]));
}

/** A getter of each name stands for the rest of Node; not for what is called, extended or assigned to by itself. */
function isPlain(path: string): boolean {
  return typeof process.getBuiltinModule(path) !== 'function' && !/^(node:)?process$/.test(path);
}

/** The page's files go into the bundle in the place of the code that would read them. */
const pageInside: Plugin = {
  name: 'page-inside',
  setup({ onLoad }) {
    onLoad({ filter: /\/app\/page\/assets\.ts$/ }, () => {
      const texts = [...pageFiles()].map(([name, zipped]) => [name, zipped.toString('base64')]);
      const contents = `export const pageFiles = () =>
        new Map(${JSON.stringify(texts)}.map(([name, text]) => [name, Buffer.from(text, 'base64')]));`;
      return { contents, loader: 'js' };
    });
  },
};

/**
 * An `import` of a built-in module reads every export when the program starts, and so loads what stands behind all of
 * them: that of node:util the worker threads, that of node:fs the history of a terminal. Here app/ gets those that are
 * values, read once, which is the fastest to call; packages get each where they use it: 1.5 MiB less of heap and 4 MiB
 * less of Node's own pages resident. Those that cost by themselves are loaded when the first of their names is used: 2 to
 * 5 MiB less again.
 */
const builtInWhenNeeded: Plugin = {
  name: 'built-in-when-needed',
  setup({ onResolve, onLoad }) {
    // What is imported at run time is loaded late as it is, and `require` reads no export.
    onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]+)?$/ }, ({ path, kind, importer }) => {
      if (!isBuiltin(path) || kind === 'dynamic-import') return undefined;
      const told = TOLD.findIndex(({ by, of }) => of === path && by.test(importer));
      if (told >= 0) return { path, namespace: 'told', suffix: `?${told}`, pluginData: TOLD[told]?.is };
      if (LOADED_LATE.test(path)) return { path, namespace: 'built-in-late' };
      if (kind !== 'import-statement') return undefined;
      const isLate = /\/node_modules\//.test(importer) && isPlain(path);
      return { path, namespace: isLate ? 'built-in-late' : 'built-in' };
    });
    // undici's client for HTTP/2, which app/core/s3/http.ts turns off, and a second parser of answers that is only for
    // those who ask for it: 190 KB of text that would be held and never run.
    onResolve({ filter: /^\.\.?\/(client-h2\.js|milo\/.*)$/ }, ({ path, importer }) =>
      /\/node_modules\/undici\//.test(importer) ? { path, namespace: 'absent' } : undefined,
    );
    // What smithy sums a browser's streams with: it loads all of Node's own kind of them.
    onResolve({ filter: /^\.\/ChecksumStream\.browser$/ }, ({ path, importer }) =>
      /\/node_modules\/@smithy\//.test(importer) ? { path, namespace: 'absent' } : undefined,
    );
    // prom-client's metrics of Node itself, which nobody asks for and which load all that Node has for measuring.
    onResolve({ filter: /^\.\/lib\/defaultMetrics$/ }, ({ path, importer }) =>
      /\/node_modules\/prom-client\//.test(importer) ? { path, namespace: 'absent' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'built-in-late' }, ({ path }) => ({
      contents: `module.exports = {${Object.getOwnPropertyNames(process.getBuiltinModule(path))
        .map((name) => `get ${name}() { return process.getBuiltinModule(${JSON.stringify(path)}).${name}; }`)
        .join(',\n')}};`,
    }));
    onLoad({ filter: /./, namespace: 'built-in' }, ({ path }) => ({
      contents: `const whole = process.getBuiltinModule(${JSON.stringify(path)});
        export default whole;
        export const { ${valuesOf(path).join(', ')} } = whole;`,
    }));
    onLoad({ filter: /./, namespace: 'told' }, ({ pluginData }) => ({
      contents: `module.exports = ${pluginData};`,
    }));
    onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error(${JSON.stringify(`${path} is not part of this program`)}); };`,
    }));
  },
};

/**
 * Writes ferry.mjs and beside it `parts/` into a directory, which must be the bundle's own, and answers the path of the
 * first and the size of all. They need Node 24 and nothing else: no node_modules. Names are kept so that a stack trace in
 * a log can be read. Rejects with esbuild's own error.
 */
export async function bundle(
  directory: string,
): Promise<{ readonly program: string; readonly bytes: number }> {
  rmSync(directory, { recursive: true, force: true });
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: { ferry: 'app/main.ts' },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'parts/[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // A command reads the parts it runs: `ferry files` half of all, which is 7 MB less resident.
    splitting: true,
    // ES modules where a package has both, so that what is not used falls away.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    plugins: [pageInside, builtInWhenNeeded],
    // Nobody asks for undici's second parser.
    define: { 'process.env.UNDICI_USE_MILO': '"0"' },
    // In files of their own. With one letter that is not ASCII in it Node holds a source at two bytes a letter.
    legalComments: 'external',
    banner: { js: COMMONJS_NAMES },
    metafile: true,
    logLevel: 'warning',
  });
  const bytes = Object.values(result.metafile.outputs).reduce((all, output) => all + output.bytes, 0);
  return { program: join(directory, 'ferry.mjs'), bytes };
}

if (import.meta.main) {
  const { program, bytes } = await bundle(join(ROOT, 'build'));
  console.log(`${program} and its parts: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
}
