/** What every function of the engine works on. */
import { bundleDir } from '../runtime/bundle.ts';
import { checkHome, layoutOf, stateHome } from '../state/layout.ts';
import { reconcile } from '../state/reconcile.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import type { Reserved } from './reserve.ts';
import type { Engine } from './types.ts';

/**
 * The engine on the caller's state directory. Touches nothing yet.
 * @throws A3sError `host_setup` for a state directory that can never be made.
 */
export function openEngine(notify: (line: string) => void, reserved: Reserved = {}): Engine {
  const home = stateHome();
  checkHome(home);
  return {
    layout: layoutOf(home),
    bundleDir: bundleDir(),
    notify,
    reserved,
  };
}

/** Every box, after reconciliation; one that lost its monitor and has a restart policy runs again. */
export async function allBoxes(engine: Engine): Promise<BoxRecord[]> {
  const boxes = await reconcile(engine.layout, engine.notify);
  if (!boxes.some(awaitsRestart)) return boxes;
  const { restartLost } = await import('./restart-lost.ts');
  return restartLost(engine, boxes.filter(awaitsRestart));
}

function awaitsRestart(box: BoxRecord): boolean {
  return box.status === 'restarting' && box.pid === null;
}

/** The box that `query` means, after reconciliation. Errors as in resolveBox. */
export async function findBox(engine: Engine, query: string): Promise<BoxRecord> {
  return resolveBox(await allBoxes(engine), query);
}

/** True when a monitor is there for the workload: it runs, is paused, or is about to run again. */
export function isUp(record: BoxRecord): boolean {
  return record.status === 'running' || record.status === 'paused' || record.status === 'restarting';
}
