/** Which box a word on the command line means. */
import { A3sError } from '../errors.ts';
import type { BoxRecord } from './record.ts';

/**
 * The box with exactly this name, else with exactly this ID (with or without its dashes), else the only one whose ID
 * starts so. Dashes elsewhere are not overlooked: a name that is gone must not mean another box. A name may be written with Docker's leading slash.
 * @throws A3sError `no_such_box`, or `ambiguous_box` naming the boxes that match.
 */
export function resolveBox(boxes: readonly BoxRecord[], query: string): BoxRecord {
  const name = query.startsWith('/') ? query.slice(1) : query;
  const byName = boxes.find((box) => box.name === name);
  if (byName !== undefined) return byName;

  const matches =
    query === '' ? [] : boxes.filter((box) => box.id.startsWith(query) || idDigits(box).startsWith(query));
  const exact = matches.find((box) => [box.id, idDigits(box), box.short_id].includes(query));
  const found = exact ?? matches[0];
  if (found === undefined) throw new A3sError('no_such_box', `No such container: ${query}`);
  if (exact === undefined && matches.length > 1) throw ambiguous(query, matches);
  return found;
}

function idDigits(box: BoxRecord): string {
  return box.id.replaceAll('-', '');
}

function ambiguous(query: string, matches: BoxRecord[]): A3sError {
  const names = matches.map((box) => `${box.short_id} (${box.name})`).join(', ');
  return new A3sError('ambiguous_box', `Multiple containers found with prefix ${query}: ${names}`, {
    hint: 'write more of the ID, or the name',
  });
}
