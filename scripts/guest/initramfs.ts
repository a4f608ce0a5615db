import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { cpioArchive } from './cpio.ts';

const [directory, executable, regular, character] = [0o040755, 0o100755, 0o100644, 0o020600];

/** The guest's first root: the agent as /init and the kernel modules, numbered in loading order. */
export async function initramfs(agent: Buffer, modules: readonly string[]): Promise<Buffer> {
  const contents = await Promise.all(modules.map((file) => readFile(file)));
  return cpioArchive([
    ...['dev', 'modules', 'proc', 'run', 'sys'].map((name) => ({ name, mode: directory })),
    // The kernel opens the console for PID 1 before anything is mounted.
    { name: 'dev/console', mode: character, device: [5, 1] },
    { name: 'dev/null', mode: character, device: [1, 3] },
    { name: 'init', mode: executable, content: agent },
    ...modules.map((file, index) => ({
      name: `modules/${basename(file)}`,
      mode: regular,
      content: contents[index] ?? Buffer.alloc(0),
    })),
  ]);
}
