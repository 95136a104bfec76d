// Runs the test files: `run.ts quick` is `npm test`, `run.ts full` adds the long suites (*.full.test.ts), and
// `run.ts cluster` and `run.ts pulumi` run those alone that need a Kubernetes (*.cluster.test.ts) or Pulumi's engine
// (*.pulumi.test.ts).
// Ends with one line that says what ran and names what could not run here and why. Other arguments pick files by name.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Files at a time; those of a cluster wait for it most of the time. */
const CONCURRENCY: Readonly<Record<string, number>> = { quick: 2, full: 2, cluster: 3 };

/** Suites that need more than this machine may have; each answers what takes down again what it has started. */
const PREPARE: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
  cluster: async () => (await import('../cluster/prepare.ts')).prepareCluster(),
  pulumi: async () => (await import('../pulumi/prepare.ts')).preparePulumi(),
};

const [mode = 'quick', ...only] = process.argv.slice(2);
const files = globSync('test/**/*.test.ts')
  .filter((file) => (/\.(cluster|pulumi)\.test\.ts$/.exec(file)?.[1] ?? mode) === mode)
  .filter((file) => !(mode in PREPARE) || file.endsWith(`.${mode}.test.ts`))
  .filter((file) => mode === 'full' || !file.endsWith('.full.test.ts'))
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${only.join(' ')}.`);
  process.exit(1);
}

// A hundred and fifty processes load the same modules: compiled once, each loads them in half the time. What a test measures
// it starts with an environment of its own.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../.cache/compiled');

const takeDown = await PREPARE[mode]?.();
const startedMs = performance.now();
const notRun = new Map<string, number>();
let passed = 0;
let failed = 0;
const events = run({
  files,
  concurrency: CONCURRENCY[mode] ?? 2,
  timeout: mode === 'quick' ? 420_000 : 1_800_000,
});
events.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip) {
    const reason = typeof event.skip === 'string' && event.skip !== '' ? event.skip : event.name;
    notRun.set(reason, (notRun.get(reason) ?? 0) + 1);
  } else passed += 1;
});
events.on('test:fail', () => {
  failed += 1;
});
events.on('end', async () => {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  const missing = [...notRun].map(
    ([reason, count]) => `${count} ${count === 1 ? 'test' : 'tests'}: ${reason}`,
  );
  process.stdout.write(
    `\n${passed} passed, ${failed} failed in ${seconds} s (${mode}, ${files.length} files). ` +
      `Not run: ${missing.length === 0 ? 'nothing' : missing.join('; ')}.\n`,
  );
  await takeDown?.();
  process.exitCode = failed === 0 && (passed > 0 || mode in PREPARE) ? 0 : 1;
});
events.compose(spec).pipe(process.stdout);
