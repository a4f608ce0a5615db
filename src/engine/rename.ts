/** `rename`: another name for a box. */
import { A3sError } from '../errors.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import { checkName } from '../state/names.ts';
import { resolveBox } from '../state/resolve.ts';
import { nameConflict } from './create.ts';
import { allBoxes } from './engine.ts';
import type { Engine } from './types.ts';

/**
 * Gives a box another name, whatever its state.
 * @throws A3sError `usage`, `invalid_config` for a name that is none, `name_conflict`, and what resolveBox throws.
 */
export async function renameBox(engine: Engine, query: string, newName: string): Promise<void> {
  // Docker's names have a slash in front, and it may be written.
  const name = newName.startsWith('/') ? newName.slice(1) : newName;
  if (query.trim() === '' || newName.trim() === '') {
    throw new A3sError('usage', 'Error: Neither old nor new names may be empty');
  }
  await allBoxes(engine);
  await updateBoxes(
    engine.layout,
    (boxes) => {
      const record = resolveBox(boxes, query);
      if (record.name === name) {
        throw new A3sError('invalid_config', 'Renaming a container with the same name as its current name');
      }
      checkName(name);
      const holder = boxes.find((box) => box.name === name);
      if (holder !== undefined) throw nameConflict(holder, 'Error when allocating new name: ');
      record.name = name;
    },
    engine.notify,
  );
}
