/** The options of `ps` that `top` takes (procps; ps(1)): which columns. All processes of the box are shown whatever they say. Pure. */
import { A3sError } from '../../errors.ts';
import { type Column, columnOf } from './process-columns.ts';

const FULL = ['uid=UID', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'args=CMD'];
const USER = ['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tty', 'stat', 'bsdstart', 'bsdtime', 'args'];
const LONG = ['s', 'uid', 'pid', 'ppid', 'c', 'pri', 'ni', 'tty', 'time', 'comm=CMD'];
const PLAIN = ['pid', 'tty', 'time', 'comm=CMD'];
const BSD = ['pid', 'tty', 'stat', 'bsdtime', 'args'];
/** Letters that choose processes or cut lines: nothing to do here. */
const NEUTRAL = /^[eAadxwTrN]*$/;

/**
 * The columns that the words ask for; `-ef` without any, as with Docker.
 * @throws A3sError `usage` naming an option or a column that is not known.
 */
export function parsePsOptions(words: readonly string[]): Column[] {
  if (words.length === 0) return columnsOf(FULL);
  const wanted: string[] = [];
  let layout: readonly string[] | undefined;
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const isDashed = word.startsWith('-');
    const [, letters = '', inline = ''] = /^-?([a-zA-Z]*?)(?:o(.*))?$/s.exec(word) ?? [];
    const hasFormat = word.startsWith('--format') || /^-?[a-zA-Z]*?o/.test(word);
    if (word.startsWith('--') && !hasFormat) throw unknown(word);
    if (hasFormat) {
      const value = formatOf(word, inline) || rest.shift();
      if (value === undefined) throw new A3sError('usage', 'ps: a format must follow -o');
      wanted.push(...value.split(/[,\s]+/).filter((name) => name !== ''));
    }
    if (!word.startsWith('--')) layout = layoutOf(letters, isDashed, word) ?? layout;
  }
  if (wanted.length > 0) return columnsOf(wanted);
  return columnsOf(layout ?? (words.some((word) => word.startsWith('-')) ? PLAIN : BSD));
}

function formatOf(word: string, inline: string): string {
  return word.startsWith('--format') ? word.slice('--format'.length).replace(/^=/, '') : inline;
}

function layoutOf(letters: string, isDashed: boolean, word: string): readonly string[] | undefined {
  const layout =
    letters.includes('u') && !(isDashed && !letters.includes('a'))
      ? USER
      : letters.includes('l')
        ? LONG
        : letters.includes('f') && isDashed
          ? FULL
          : undefined;
  if (!NEUTRAL.test(letters.replaceAll(/[ulfF]/g, ''))) throw unknown(word);
  return layout;
}

function columnsOf(names: readonly string[]): Column[] {
  return names.map((each) => {
    const [name = '', ...heading] = each.split('=');
    // The full listing calls users UID but names them.
    const found = columnOf(name === 'uid' && heading[0] === 'UID' ? 'user' : name);
    if (found === undefined) throw new A3sError('usage', `ps: unknown column "${name}"`);
    return heading.length === 0 ? found : { ...found, heading: heading.join('=') };
  });
}

function unknown(word: string): A3sError {
  return new A3sError('usage', `ps: unsupported option "${word}"`, {
    hint: 'known are -ef, aux, -l, -u and -o COLUMN,…',
  });
}
