/** What it costs on this machine to read memory again that nobody has looked at for a while: most of what an idle box takes. */
import { median } from './statistics.ts';

const PAGE = 4096;
const PAGES = 512;
const REST_MS = 1000;
const TIMES = 7;

/** Microseconds of processor time for each page of 4 KiB. */
export interface PriceOfRest {
  /** After a second without a look at them. */
  rested: number;
  /** At once after that. */
  again: number;
}

/** Takes eight seconds. A machine of its own has next to no difference; a virtual one may lose its second-level translations meanwhile. */
export function priceOfRest(): PriceOfRest {
  const memory = Buffer.alloc(PAGES * PAGE, 1);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const rested: number[] = [];
  const again: number[] = [];
  for (let n = 0; n < TIMES; n += 1) {
    Atomics.wait(pause, 0, 0, REST_MS);
    rested.push(read(memory));
    again.push(read(memory));
  }
  return { rested: median(rested), again: median(again) };
}

function read(memory: Buffer): number {
  const before = process.cpuUsage();
  let sum = 0;
  for (let at = 0; at < memory.length; at += PAGE) sum += memory[at] ?? 0;
  if (sum !== PAGES) throw new Error('the memory has changed');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PAGES;
}
