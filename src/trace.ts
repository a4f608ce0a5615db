/** Where the time of a start goes: `A3S_BOX_TRACE=FILE` appends a line for each milestone, from every process of ours. */
import { appendFileSync } from 'node:fs';

const file = process.env['A3S_BOX_TRACE'];

/** Notes a milestone: milliseconds since 1970 with three decimals, PID, name. Nothing when tracing is off. */
export function trace(event: string): void {
  if (file === undefined || file === '') return;
  const time = (performance.timeOrigin + performance.now()).toFixed(3);
  appendFileSync(file, `${time} ${process.pid} ${event}\n`);
}
