/** LZ4 blocks (lz4_Block_format.md of the LZ4 project), as squashfs keeps them: without a frame. */

/**
 * Unpacks a block.
 * @param size what it unpacks to at most, in bytes
 * @returns null when the block makes no sense or holds more.
 */
export function unpackLz4(block: Buffer, size: number): Buffer | null {
  const output = Buffer.allocUnsafe(size);
  const end = block.length;
  let at = 0;
  let to = 0;
  while (at < end) {
    const token = block[at++] ?? 0;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = block[at++] ?? 0;
        literals += more;
      }
    }
    if (literals > end - at || literals > size - to) return null;
    if (literals > 16) output.set(block.subarray(at, at + literals), to);
    else for (let n = 0; n < literals; n += 1) output[to + n] = block[at + n] ?? 0;
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === end) return output.subarray(0, to);
    if (end - at < 2) return null;
    const offset = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more = 255;
      while (more === 255 && at < end) {
        more = block[at++] ?? 0;
        length += more;
      }
    }
    if (offset === 0 || offset > to || length > size - to) return null;
    const from = to - offset;
    // A match may overlap what it makes: it repeats then.
    if (offset >= length && length > 16) output.copyWithin(to, from, from + length);
    else for (let n = 0; n < length; n += 1) output[to + n] = output[from + n] ?? 0;
    to += length;
  }
  return end === 0 ? null : output.subarray(0, to);
}
