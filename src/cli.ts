/**
 * Where the command starts. A `run` needs a monitor whatever its flags turn out to be, and so does a `start`; a monitor takes longest to
 * load: it is on its way before the program itself is read.
 */
import type { Reserved } from './engine/reserve.ts';

async function reserve(verb: string, words: readonly string[]): Promise<Reserved> {
  const [{ reserveBox, reserveStart }, { layoutOf, stateHome }, { mayBeWarm }] = await Promise.all([
    import('./engine/reserve.ts'),
    import('./state/layout.ts'),
    import('./state/warm-boxes.ts'),
  ]);
  try {
    const layout = layoutOf(stateHome());
    if (verb === 'start') return { start: reserveStart(layout, words.at(-1) ?? '') };
    // One that is up is better than one that is on its way; which fits is known when the command line is.
    return mayBeWarm(layout) ? {} : { run: reserveBox(layout) };
  } catch {
    // The program will meet the same fault, where it can be told.
    return {};
  }
}

async function begin(): Promise<void> {
  const [verb = '', ...words] = process.argv.slice(2);
  const starts = (verb === 'run' || verb === 'start') && !words.includes('--help');
  const reserved = starts ? await reserve(verb, words) : {};
  const { program } = await import('./cli/program.ts');
  program(reserved);
}

// No top-level await: it would keep bundlers from making a CommonJS file, which starts faster.
void begin();
