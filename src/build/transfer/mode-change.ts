/** `--chmod`: octal, or symbolic as chmod(1) has it, without a umask (BSD's setmode, which BuildKit follows). Pure. */

/** What becomes of the permissions of a file or directory, with the set-ID and sticky bits. */
export interface ModeChange {
  /** What directories get that have to be made on the way. */
  parents: number;
  apply(mode: number, isDirectory: boolean): number;
}

const OCTAL = /^[0-7]+$/;
const CLAUSE = /^([ugoa]*)(.*)$/;
const ACTION = /([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g;
const SET_IDS = 0o6000;
const STICKY = 0o1000;
const EXECUTE = 0o111;
const EVERYBODY = 0o777;
const DEFAULT_PARENTS = 0o755;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o007, a: 0o6777 };
const SHIFTS: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const PERMISSIONS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: SET_IDS, t: STICKY };

/** @param text checked before (`checkTransfer`); empty: nothing changes. */
export function modeChange(text: string): ModeChange | null {
  if (text === '') return null;
  if (OCTAL.test(text)) {
    const mode = Number.parseInt(text, 8) & 0o7777;
    return { parents: mode & EVERYBODY, apply: () => mode };
  }
  const steps = text.split(',').flatMap(stepsOf);
  return {
    parents: DEFAULT_PARENTS,
    apply: (mode, isDirectory) => steps.reduce((now, step) => step(now, mode, isDirectory), mode),
  };
}

type Step = (now: number, before: number, isDirectory: boolean) => number;

function stepsOf(clause: string): Step[] {
  const [, letters = '', actions = ''] = CLAUSE.exec(clause) ?? [];
  const who = Array.from(letters).reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0);
  return Array.from(actions.matchAll(ACTION), ([, operator = '', what = '']) => {
    return /^[ugo]$/.test(what) ? copying(who, operator, what) : setting(who, operator, what);
  });
}

/** `u=rwX`. */
function setting(who: number, operator: string, letters: string): Step {
  // For others alone there are no set-ID bits, and without a class everybody is meant.
  const isForOwners = who === 0 || (who & ~0o007) !== 0;
  let bits = 0;
  let mask = who === 0 ? 0o7777 : who;
  let conditional = 0;
  for (const letter of letters) {
    if (letter === 'X' && operator !== '-') conditional = EXECUTE;
    else if (letter === 'X') bits |= EXECUTE;
    else if (!'st'.includes(letter) || isForOwners) bits |= PERMISSIONS[letter] ?? 0;
    if (letter === 't' && isForOwners) mask |= STICKY;
  }
  const cleared = who === 0 ? 0o6777 : mask;
  return (now, before, isDirectory) => {
    const isExecutable = isDirectory || (before & EXECUTE) !== 0;
    const all = (bits | (isExecutable ? conditional : 0)) & mask;
    if (operator === '+') return now | all;
    return operator === '-' ? now & ~all : (now & ~cleared) | all;
  };
}

/** `g=u`: the permissions of another class. */
function copying(who: number, operator: string, from: string): Step {
  const classes = Object.entries(SHIFTS).filter(
    ([letter]) => who === 0 || (who & (WHO[letter] ?? 0) & 0o777) !== 0,
  );
  return (now) => {
    const value = (now >> (SHIFTS[from] ?? 0)) & 7;
    return classes.reduce((mode, [, shift]) => {
      if (operator === '+') return mode | (value << shift);
      if (operator === '-') return mode & ~(value << shift);
      return (mode & ~(7 << shift)) | (value << shift);
    }, now);
  };
}
