/** Scratch space of one test, gone with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new directory that is removed when the running test has ended. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'a3s-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
