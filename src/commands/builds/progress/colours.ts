/** Colours of live progress: `NO_COLOR`, `BUILDKIT_COLORS` (BuildKit's util/progress/progressui/colors.go). */

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const KEYS = ['run', 'cancel', 'error', 'warning'] as const;

/** Escape sequences by what they are for; empty for no colour. */
export type Colours = Record<(typeof KEYS)[number], string>;

/** @param warn is told of what is wrong in `BUILDKIT_COLORS`, which is left out then */
export function coloursFrom(env: NodeJS.ProcessEnv, warn: (line: string) => void): Colours {
  if (env['NO_COLOR']) return { run: '', cancel: '', error: '', warning: '' };
  const colours = { run: foreground(4), cancel: foreground(3), error: foreground(1), warning: foreground(3) };
  for (const field of (env['BUILDKIT_COLORS'] ?? '').split(':')) {
    if (field === '') continue;
    const [name = '', value = '', ...more] = field.split('=');
    const key = KEYS.find((each) => each === name.toLowerCase());
    const colour = more.length > 0 ? undefined : colourOf(value.replace(/^"(.*)"$/, '$1').toLowerCase());
    if (key === undefined || colour === undefined)
      warn(`Could not parse BUILDKIT_COLORS component: ${field}`);
    else colours[key] = colour;
  }
  return colours;
}

/** A name, or `red,green,blue` from 0 to 255. */
function colourOf(value: string): string | undefined {
  if (value === 'default') return '\u001B[39m';
  const light = value.startsWith('light-');
  const index = NAMES.indexOf(light ? value.slice('light-'.length) : value);
  if (index >= 0) return foreground(index + (light ? 60 : 0));
  const parts = value.split(',');
  const isRgb = parts.length === 3 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  if (!isRgb) return undefined;
  // The nearest of the 216 colours that every terminal of today has.
  const nearest = parts.reduce((sum, part) => sum * 6 + Math.round((Number(part) * 5) / 255), 0);
  return `\u001B[38;5;${16 + nearest}m`;
}

function foreground(number: number): string {
  return `\u001B[${30 + number}m`;
}
