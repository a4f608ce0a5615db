/** Which form progress has: `--progress`, `--quiet`, `BUILDKIT_PROGRESS`, and whether there is a terminal. */
import { A3sError } from '../../../errors.ts';
import { coloursFrom } from './colours.ts';
import { type BuildDisplay, type DisplayTarget, noDisplay } from './display.ts';
import { PlainDisplay } from './plain.ts';
import { RawJsonDisplay } from './raw-json.ts';
import { TerminalDisplay } from './terminal.ts';

export interface ProgressChoice {
  mode: 'tty' | 'plain' | 'rawjson' | 'none';
  /** The image's ID is printed at the end. */
  printId: boolean;
}

const BUILDER = 'a3s-box';
/** BuildKit's first line of plain progress. */
const DESCRIPTION = `building with "default" instance using ${BUILDER} driver`;
const LOG_LINES = 6;

/** @throws A3sError `usage` in buildx's words. */
export function chooseProgress(
  flags: { progress: string; quiet: boolean },
  env: NodeJS.ProcessEnv,
  target: DisplayTarget,
): ProgressChoice {
  const { progress } = flags;
  if (flags.quiet && !['auto', '', 'quiet', 'none'].includes(progress)) {
    throw new A3sError('usage', `progress=${progress} and quiet cannot be used together`);
  }
  if (flags.quiet || progress === 'quiet') return { mode: 'none', printId: true };
  const asked = progress === 'auto' ? env['BUILDKIT_PROGRESS'] || progress : progress;
  const terminal = target.isTTY === true;
  switch (asked) {
    case '':
    case 'auto':
      return { mode: terminal ? 'tty' : 'plain', printId: false };
    case 'tty':
      if (!terminal) throw new A3sError('usage', 'failed to get console: provided file is not a console');
      return { mode: 'tty', printId: false };
    case 'plain':
    case 'rawjson':
      return { mode: asked, printId: false };
    case 'none':
    case 'quiet':
      return { mode: 'none', printId: false };
    default:
      throw new A3sError('usage', `invalid progress mode ${asked}`);
  }
}

/** @param warn is told of what is wrong in the environment */
export function openDisplay(
  { mode }: ProgressChoice,
  target: DisplayTarget,
  env: NodeJS.ProcessEnv,
  warn: (line: string) => void,
): BuildDisplay {
  if (mode === 'none') return noDisplay;
  if (mode === 'rawjson') return new RawJsonDisplay(target);
  if (mode === 'plain') return new PlainDisplay(target, DESCRIPTION);
  const lines = Number(env['BUILDKIT_TTY_LOG_LINES']);
  return new TerminalDisplay(target, {
    builder: BUILDER,
    colours: coloursFrom(env, warn),
    logLines: Number.isInteger(lines) && lines > 0 ? lines : LOG_LINES,
  });
}
