/** Parser directives: `# escape=…`, `# syntax=…`, `# check=…` in the comments that a Dockerfile begins with. */
import { isSpace, trim, trimStart } from '../characters.ts';
import { DockerfileError } from '../error.ts';
import type { Directives, Escape } from './tree.ts';

const NAME = /^[a-zA-Z][a-zA-Z0-9]*/;
const KNOWN = ['syntax', 'escape', 'check'] as const;

export class DirectiveReader {
  readonly directives: Directives = {};
  escape: Escape = '\\';
  #done = false;

  /**
   * True when the line is a directive. The first line that is none ends them, so that later ones are comments.
   * @throws DockerfileError for a directive that comes twice and a wrong escape.
   */
  read(line: string): boolean {
    const found = this.#done ? undefined : parse(line);
    if (found === undefined) {
      this.#done = true;
      return false;
    }
    if (this.directives[found.name] !== undefined) {
      throw new DockerfileError(`only one ${found.name} parser directive can be used`);
    }
    this.directives[found.name] = found.value;
    if (found.name === 'escape') this.escape = parseEscape(found.value);
    return true;
  }
}

function parse(line: string): { name: (typeof KNOWN)[number]; value: string } | undefined {
  if (!line.startsWith('#')) return undefined;
  const text = trimStart(line.slice(1));
  const [word = ''] = NAME.exec(text) ?? [];
  const rest = trimStart(text.slice(word.length));
  const name = KNOWN.find((known) => known === word.toLowerCase());
  const value = trim(rest.slice(1));
  if (name === undefined || !rest.startsWith('=') || value === '') return undefined;
  return { name, value };
}

function parseEscape(value: string): Escape {
  if (value === '\\' || value === '`') return value;
  throw new DockerfileError(`invalid escape token '${value}' does not match \` or \\`);
}

/** True for a line that is a comment wherever it stands outside a heredoc. */
export function isComment(line: string): boolean {
  let start = 0;
  while (start < line.length && isSpace(line.charAt(start))) start++;
  return line[start] === '#';
}
