/** "did you mean": the known name that is nearest to a wrong one. */

/** Names that differ in this many characters are too far apart (BuildKit's util/suggest). */
const TOO_FAR = 3;

/** `message` with the nearest of `known`, when one is near. Case counts for flags and stages, not for instructions. */
export function suggest(message: string, wrong: string, known: readonly string[], caseCounts = true): string {
  const name = nearest(wrong, known, caseCounts);
  return name === undefined ? message : `${message} (did you mean ${name}?)`;
}

/** The nearest of `known`. Undefined too when one is the same: then something else is wrong. */
export function nearest(wrong: string, known: readonly string[], caseCounts = true): string | undefined {
  const plain = (text: string): string => (caseCounts ? text : text.toLowerCase());
  let best: string | undefined;
  let least = TOO_FAR;
  // Of two that are equally near, the one that begins alike.
  const first = wrong.charAt(0).toLowerCase();
  const alike = (name: string): boolean => name.charAt(0).toLowerCase() === first;
  const ordered = known.toSorted((one, other) => Number(alike(other)) - Number(alike(one)));
  for (const name of ordered) {
    if (plain(name) === plain(wrong)) return undefined;
    const apart = distance(plain(wrong), plain(name));
    if (apart >= least) continue;
    least = apart;
    best = caseCounts ? name : inCaseOf(wrong, name);
  }
  return best;
}

function inCaseOf(wrong: string, name: string): string {
  if (wrong === wrong.toLowerCase()) return name.toLowerCase();
  return wrong === wrong.toUpperCase() ? name.toUpperCase() : name.toLowerCase();
}

/** Levenshtein's distance; texts whose lengths already differ too much are not compared. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) >= TOO_FAR) return TOO_FAR;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
