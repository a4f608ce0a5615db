/**
 * Where a monitor starts: it reads its launch request and starts the VM that the request plans before its program is loaded, which
 * takes half as long as QEMU's own start.
 */
import { bootTryMs } from './deadlines.ts';
import { LAUNCH_FD } from './launch-fd.ts';
import { readRequest } from './monitor/read-request.ts';
import { startEarly } from './monitor/early-vm.ts';

async function begin(): Promise<void> {
  // A terminal's Ctrl-C or a closed session ends commands, not boxes.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
  const payload = readRequest(LAUNCH_FD);
  const early = payload === null ? null : startEarly(payload, bootTryMs);
  // However this process comes to its end, its VM does not outlive it; nor does it wait for what else is done then.
  if (early !== null) process.prependListener('exit', () => void early.qemu.kill());
  const { monitor } = await import('./monitor-main.ts');
  monitor(payload, early);
}

// No top-level await: it would keep bundlers from making a CommonJS file, which starts faster.
void begin();
