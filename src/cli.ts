/**
 * Where the command starts. A `run` needs a monitor whatever its flags turn out to be, and a monitor takes longest to load: it is
 * on its way before the program itself is read.
 */
import { reserveBox, type ReservedBox } from './engine/reserve.ts';
import { layoutOf, stateHome } from './state/layout.ts';

const runs = process.argv[2] === 'run' && !process.argv.includes('--help');

function reserve(): ReservedBox | undefined {
  try {
    return reserveBox(layoutOf(stateHome()));
  } catch {
    // The program will meet the same fault, where it can be told.
    return undefined;
  }
}

const reserved = runs ? reserve() : undefined;
// No top-level await: it would keep bundlers from making a CommonJS file, which starts faster.
void import('./cli/program.ts').then(({ program }) => program(reserved));
