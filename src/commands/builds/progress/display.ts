/** What shows a build while it goes on. */
import type { Writable } from 'node:stream';

import type { BuildEvent } from '../../../engine/build-types.ts';

export interface BuildDisplay {
  event(event: BuildEvent): void;
  /** Nothing more comes: shows how it ended, and the output of what failed. */
  end(): void;
}

/** Where it is shown. */
export type DisplayTarget = Pick<Writable, 'write'> & {
  isTTY?: boolean;
  columns?: number | undefined;
  rows?: number | undefined;
};

/** Nothing is shown (`-q`). */
export const noDisplay: BuildDisplay = { event: () => {}, end: () => {} };
