/** A box's record, as the engine hands it out. */
import type { allBoxes } from '../../engine/engine.ts';

export type BoxRecord = Awaited<ReturnType<typeof allBoxes>>[number];
