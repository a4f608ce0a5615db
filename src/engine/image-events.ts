/** Events of images, told where the verbs do their work. */
import { appendEvents } from '../state/journal.ts';
import type { Layout } from '../state/layout.ts';

/**
 * Tells that something was done to an image.
 * @param action Docker's word: `pull`, `push`, `tag`, `untag`, `delete`, `load`, `save`, `import`
 * @param id the image's ID; its name for `pull` and `push`
 * @param name as Docker's attribute has it
 */
export function tellImage(layout: Layout, action: string, id: string, name: string): void {
  appendEvents(layout, [{ type: 'image', action, id, attributes: { name } }]);
}
