// Runs the demo as a person does, `node app/main.ts demo`, and counts both sides itself.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { RECEIPTS_PREFIX } from '../../app/files/receipts/line.ts';

const MAIN = resolve('app/main.ts');

export interface DemoRun {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** A directory for the demo, removed at the end together with a writer that is still running in it. */
export function demoDirectory(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'ferry-demo-'));
  t.after(() => {
    const pid = writerPid(root);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}

export function startDemo(t: TestContext, root: string, ...flags: string[]): DemoRun {
  const child = spawn(process.execPath, [MAIN, 'demo', '--directory', root, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const parts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    parts.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    parts.stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
    child.on('close', (code) => done({ code, ...parts }));
  });
  return { child, ended };
}

export function writerPid(root: string): number | undefined {
  try {
    return Number(readFileSync(join(root, 'writer.pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and that nobody has waited for yet still takes signals.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, `not within 60 s: ${what}`);
    await wait(20);
  }
}

export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

/** Both sides, counted without a line of the balance's own code. */
export function count(root: string): {
  written: number;
  inBucket: number;
  stillLocal: number;
  objects: number;
} {
  const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  const contents = (side: string) =>
    filesBelow(join(root, side))
      .filter((name) => !name.startsWith('.ferry-tmp/') && !name.startsWith(RECEIPTS_PREFIX))
      .map((name) => sha256(join(root, side, name)));
  const written = readFileSync(join(root, 'written.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { sha256: string }).sha256); // the manifest's format is documented
  const objects = contents('bucket');
  const stored = new Set(objects);
  const local = new Set(contents('data'));
  assert.equal(new Set(written).size, written.length, 'every file has a content of its own');
  return {
    written: written.length,
    inBucket: written.filter((hash) => stored.has(hash)).length,
    stillLocal: written.filter((hash) => !stored.has(hash) && local.has(hash)).length,
    objects: objects.length,
  };
}
