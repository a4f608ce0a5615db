/** What every function of the engine works on. */
import { bundleDir } from '../runtime/bundle.ts';
import { layoutOf, stateHome } from '../state/layout.ts';
import { reconcile } from '../state/reconcile.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import type { ReservedBox } from './reserve.ts';
import type { Engine } from './types.ts';

/** The engine on the caller's state directory. Touches nothing yet. */
export function openEngine(notify: (line: string) => void, reserved?: ReservedBox): Engine {
  return {
    layout: layoutOf(stateHome()),
    bundleDir: bundleDir(),
    notify,
    ...(reserved === undefined ? {} : { reserved }),
  };
}

/** Every box, after reconciliation. */
export function allBoxes(engine: Engine): Promise<BoxRecord[]> {
  return reconcile(engine.layout, engine.notify);
}

/** The box that `query` means, after reconciliation. Errors as in resolveBox. */
export async function findBox(engine: Engine, query: string): Promise<BoxRecord> {
  return resolveBox(await allBoxes(engine), query);
}

/** True when a workload is there: it runs or is paused. */
export function isUp(record: BoxRecord): boolean {
  return record.status === 'running' || record.status === 'paused';
}
