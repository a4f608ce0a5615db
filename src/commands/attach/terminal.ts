/** The caller's terminal while a box has it. */
import type { Readable, Writable } from 'node:stream';

import { A3sError } from '../../errors.ts';

type Input = Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
type Output = Writable & { isTTY?: boolean; rows?: number; columns?: number };

/**
 * @throws A3sError `usage` in Docker's words when a terminal is asked for and stdin is none
 */
export function checkTerminal(stdin: Input, attachesStdin: boolean, tty: boolean): void {
  if (!attachesStdin || !tty || stdin.isTTY === true) return;
  throw new A3sError('usage', 'the input device is not a TTY', { exitStatus: 1 });
}

/** Rows and columns of the terminal, or nothing where there is none. */
export function windowSize(stdout: Output): { rows?: number; cols?: number } {
  const { rows, columns } = stdout;
  return rows === undefined || columns === undefined ? {} : { rows, cols: columns };
}

/** Calls back with each new size. Disposing stops that. */
export function watchWindow(stdout: Output, onResize: (rows: number, cols: number) => void): Disposable {
  const listener = (): void => {
    const { rows, cols } = windowSize(stdout);
    if (rows !== undefined && cols !== undefined) onResize(rows, cols);
  };
  stdout.on('resize', listener);
  return { [Symbol.dispose]: () => void stdout.removeListener('resize', listener) };
}

/**
 * Passes every key, and every byte that is shown, as it is. Disposing puts the terminal back as it was; so does every
 * other end of the process that lets it run code, and Node itself does so on a fatal signal.
 */
export async function rawMode(stdin: Input): Promise<Disposable> {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return { [Symbol.dispose]: () => {} };
  const restore = (): void => void stdin.setRawMode?.(false);
  const { spawnSync } = await import('node:child_process');
  stdin.setRawMode(true);
  // Node's raw mode goes on turning "\n" into "\r\n", which the terminal in the box has done already. Without stty,
  // lines end in "\r\r\n", which looks the same.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  process.once('exit', restore);
  return {
    [Symbol.dispose]: () => {
      process.removeListener('exit', restore);
      restore();
    },
  };
}
