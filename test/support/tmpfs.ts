// A file system of a few hundred KiB, to fill up.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of its own, unmounted and removed after the test; undefined when this user may not mount. */
export function tinyVolume(t: Pick<TestContext, 'after'>, sizeKiB: number): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'ferry-volume-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'ferry-test', path], { stdio: 'ignore' });
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['-l', path], { stdio: 'ignore' });
    rmSync(path, { recursive: true });
  });
  return path;
}
