/** A process in a box, as the engine hands it out. */
import type { execBox } from '../../engine/exec.ts';

export type ProcessSession = Awaited<ReturnType<typeof execBox>>;
export type ProcessResult = Awaited<ProcessSession['result']>;
