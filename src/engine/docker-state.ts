/** Docker's one word for each status of a box. */
import type { BoxStatus } from '../state/record.ts';

export const DOCKER_STATES: Readonly<Record<BoxStatus, string>> = {
  created: 'created',
  starting: 'created',
  running: 'running',
  paused: 'paused',
  restarting: 'restarting',
  stopped: 'exited',
  dead: 'dead',
};
