// Makes the one file that is shipped: `npm run bundle` turns app/main.ts and all it imports into dist/ferry.mjs.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { pageFiles } from './page/assets.ts';

const ROOT = join(import.meta.dirname, '..');

/** Packages written for CommonJS call these; a module has none of them. */
const COMMONJS_NAMES = [
  "import { createRequire as ferryCreateRequire } from 'node:module';",
  'const require = ferryCreateRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

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
 * Writes the bundle to `outfile` and answers its size in bytes. It needs Node 24 and nothing else: no node_modules, no
 * second file. Names are kept so that a stack trace in a log can be read. Rejects with esbuild's own error.
 */
export async function bundle(outfile: string): Promise<number> {
  rmSync(outfile, { force: true });
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: ['app/main.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    splitting: false,
    // ES modules where a package has both, so that what is not used falls away.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    plugins: [pageInside],
    legalComments: 'eof',
    banner: { js: COMMONJS_NAMES },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.values(result.metafile.outputs).reduce((all, output) => all + output.bytes, 0);
}

if (import.meta.main) {
  const outfile = join(ROOT, 'dist', 'ferry.mjs');
  const bytes = await bundle(outfile);
  console.log(`${join(dirname(outfile), 'ferry.mjs')}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
}
