/** Comments that describe what is below them: `# name what it is`. */

/** The words behind the name; empty when no comment begins with it. */
export function descriptionOf(name: string, comments: readonly string[]): string {
  if (name === '') return '';
  const comment = comments.find((line) => line.startsWith(`${name} `));
  return comment === undefined ? '' : comment.slice(name.length + 1);
}
