/** Capabilities as `--cap-add` and `--cap-drop` take them. Pure. */
import { A3sError } from '../../errors.ts';
import { ALL, CAPABILITIES } from '../../state/capabilities.ts';

/**
 * `net_admin` and `CAP_NET_ADMIN` as Docker notes them: `CAP_NET_ADMIN`, each once, sorted; `ALL` stands alone.
 * @param flag the field's name in Docker's refusal, `CapAdd` or `CapDrop`
 * @throws A3sError `invalid_config` for an unknown one.
 */
export function normalCapabilities(names: readonly string[], flag: string): string[] {
  const normal = names.map((name) => {
    const upper = name.trim().toUpperCase();
    return upper === ALL || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  for (const name of normal) {
    if (name === ALL || CAPABILITIES.includes(name.slice(4))) continue;
    throw new A3sError('invalid_config', `invalid ${flag}: unknown capability: "${name}"`);
  }
  return normal.includes(ALL) ? [ALL] : [...new Set(normal)].toSorted();
}
