/** A step of a pipeline that tells how many bytes went through so far. */
export function counting(told: (bytes: number) => void) {
  return async function* count(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const piece of source) {
      bytes += piece.length;
      told(bytes);
      yield piece;
    }
  };
}
