/** The contents of the guest bundle, proved. Apart from bundle.ts, because commands open the bundle but never hash it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { BUNDLE_FILES, brokenBundle, type BundleFile, type GuestBundle } from './bundle.ts';

const CHUNK = 1024 * 1024;

/**
 * Proves files of the bundle against the manifest's hashes (0.1 s for all of them). An altered kernel or agent may well
 * boot and go wrong later, so whatever goes into a template or a box is proved first.
 * @throws A3sError `host_setup` naming the altered file.
 */
export function verifyBundle(bundle: GuestBundle, names: readonly BundleFile[] = BUNDLE_FILES): void {
  for (const name of names) {
    if (sha256(join(bundle.dir, name)) !== bundle.hashes[name])
      throw brokenBundle(bundle.dir, name, 'is damaged');
  }
}

function sha256(path: string): string {
  // Loaded here: it costs 8 ms, and nothing is hashed on the usual path.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK);
  const fd = openSync(path, 'r');
  try {
    for (let size = 1; size > 0;) {
      size = readSync(fd, buffer, 0, CHUNK, null);
      hash.update(buffer.subarray(0, size));
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
