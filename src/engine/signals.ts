/** Signals as `kill -s` and `stop -s` take them; monitors read them, too. */
export { parseSignal, stopSignalOf } from '../state/signals.ts';
