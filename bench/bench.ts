// `npm run bench`: what moving small files costs, Ferry and its peers in the same run against the same server.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../app/bundle.ts';
import { messageOf } from '../app/core/errors.ts';
import packageJson from '../package.json' with { type: 'json' };
import { CASES, type Case, QUICK_CASE } from './cases.ts';
import { chart } from './chart.ts';
import { worseRatios } from './check.ts';
import { eventsSection } from './events.ts';
import { describeMachine } from './machine.ts';
import { findAccounting } from './measure.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { findPeer, type Peer, type PeerName } from './peers.ts';
import { markdown, table } from './report.ts';
import { type CaseResult, type Report, withCases } from './results.ts';
import { runCase, type Surroundings } from './rounds.ts';
import { makeNames, makeSource, type Source } from './sources.ts';
import { versionsBeside } from './versions.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCS = join(ROOT, 'docs');
const RECORD = join(DOCS, 'benchmark.json');

const options = parseOptions(process.argv.slice(2));
const scratch = mkdtempSync(join(options.dir ?? tmpdir(), 'ferry-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
// The programs being measured get the signal too; their failure ends the run, and the directory is removed.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});
try {
  process.exitCode = await main(options);
} catch (error) {
  say(interrupted ? 'Interrupted.' : `bench: ${messageOf(error)}`);
  process.exitCode = interrupted ? 130 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(options: BenchOptions): Promise<number> {
  const cases = chosen(options);
  const baseline = readRecord();
  if (options.check && baseline === undefined) {
    throw new Error('There is no docs/benchmark.json to compare with: make it with --write-docs.');
  }
  const peers = new Map<PeerName, Peer>();
  const peer = (name: PeerName): Peer => {
    const known = peers.get(name) ?? findPeer(name, say);
    peers.set(name, known);
    return known;
  };
  const accounting = findAccounting();
  const { program: ferryBundle } = await bundle(join(scratch, 'app'));
  const around: Surroundings = { scratch, ferryBundle, accounting, peer, source: keepSources(), say };

  const results: CaseResult[] = [];
  const failures: string[] = [];
  for (const one of cases) {
    try {
      results.push(await runCase(one, options.rounds, around));
    } catch (error) {
      if (interrupted || options.check) throw error;
      // The other cases' hours are not lost to this one.
      failures.push(messageOf(error));
      say(messageOf(error));
    }
  }
  const versions = await versionsBeside(results);
  const report = (): Report => ({
    machine: describeMachine(),
    versions: {
      ferry: packageJson.version,
      node: process.versions.node,
      ...Object.fromEntries(
        [...peers].flatMap(([name, found]) => ('version' in found ? [[name, found.version]] : [])),
      ),
      ...versions,
    },
    accounting,
    cases: results,
  });
  process.stdout.write(table(report()));
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);

  let exit = failures.length === 0 ? 0 : 1;
  if (options.check && baseline) exit = await check(baseline, results, around, options.rounds);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report(), null, 2)}\n`);
  if (options.writeDocs && results.length > 0) {
    const record = withCases(
      baseline,
      report(),
      CASES.map(({ name }) => name),
    );
    mkdirSync(DOCS, { recursive: true });
    writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
    writeFileSync(join(DOCS, 'benchmark.svg'), chart(record));
    writeFileSync(join(DOCS, 'benchmark.md'), `${markdown(record)}${eventsSection()}`);
    say('Wrote docs/benchmark.json, .md and .svg.');
  }
  return exit;
}

function readRecord(): Report | undefined {
  if (!existsSync(RECORD)) return undefined;
  // Written by this program and kept in the repository: its shape is known.
  return JSON.parse(readFileSync(RECORD, 'utf8')) as Report;
}

/** Ratios of CPU against those on record. One that looks worse is measured again before it counts: machines are shared. */
async function check(
  baseline: Report,
  results: CaseResult[],
  around: Surroundings,
  rounds: number,
): Promise<number> {
  let worse = worseRatios(baseline, results);
  if (worse.length > 0) {
    say(`${worse.join('\n')}\nMeasuring again.`);
    const again = CASES.filter(({ name }) => results.some((result) => result.name === name));
    for (const one of again) results.push(await runCase(one, rounds, around));
    worse = worseRatios(baseline, results);
  }
  if (worse.length === 0) {
    process.stdout.write('\nNo ratio is more than 25 % worse than the one on record.\n');
    return 0;
  }
  process.stdout.write(`\n${worse.join('\n')}\n`);
  return 1;
}

function chosen(options: BenchOptions): readonly Case[] {
  const wanted = CASES.filter(({ name, large }) => {
    if (options.cases.length > 0) return options.cases.includes(name);
    if (options.quick || options.check) return name === QUICK_CASE;
    return options.large || large !== true;
  });
  const files = options.files;
  if (files === undefined) return wanted;
  return wanted.map((one) =>
    one.files <= 1
      ? one
      : { ...one, ...cutWindow(one), files, title: `${one.title} (cut to ${files} files)` },
  );
}

/** To try the bench itself a window need not be long. */
function cutWindow({ windowMs }: Case): Partial<Case> {
  return windowMs === undefined ? {} : { windowMs: Math.min(windowMs, 20_000) };
}

/** Sources are made once and shared by the cases that need the same. */
function keepSources(): Surroundings['source'] {
  const made = new Map<string, Source>();
  return ({ name: caseName, kind, files, sizeBytes, layout = 'flat' }) => {
    const own = kind === 'freeing' || kind === 'names' ? `-${caseName}` : '';
    const name = `source-${files}-${sizeBytes}-${layout}${own}`;
    let source = made.get(name);
    if (source === undefined) {
      if (files > 100_000) say(`Writing ${files} files into ${scratch}`);
      const directory = join(scratch, name);
      source =
        kind === 'names' ? makeNames(directory, files) : makeSource(directory, files, sizeBytes, layout);
      made.set(name, source);
    }
    return source;
  };
}
