/**
 * Where the command starts. A `run` needs a monitor whatever its flags turn out to be, and a monitor takes longest to load: it is
 * on its way before the program itself is read.
 */
import type { ReservedBox } from './engine/reserve.ts';

async function reserve(): Promise<ReservedBox | undefined> {
  const [{ reserveBox }, { layoutOf, stateHome }, { mayBeWarm }] = await Promise.all([
    import('./engine/reserve.ts'),
    import('./state/layout.ts'),
    import('./state/warm-boxes.ts'),
  ]);
  try {
    const layout = layoutOf(stateHome());
    // One that is up is better than one that is on its way; which fits is known when the command line is.
    if (mayBeWarm(layout)) return undefined;
    return reserveBox(layout);
  } catch {
    // The program will meet the same fault, where it can be told.
    return undefined;
  }
}

async function begin(): Promise<void> {
  const runs = process.argv[2] === 'run' && !process.argv.includes('--help');
  const reserved = runs ? await reserve() : undefined;
  const { program } = await import('./cli/program.ts');
  program(reserved);
}

// No top-level await: it would keep bundlers from making a CommonJS file, which starts faster.
void begin();
