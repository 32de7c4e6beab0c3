const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * Returns where the last `count` lines of a file of `size` bytes begin. Reads blocks from the end backwards. A newline at
 * the very end terminates the last line and does not begin another one.
 */
export function lastLinesStart(
  read: (position: number, length: number) => Uint8Array,
  size: number,
  count: number,
): number {
  if (count === 0) return size;
  let remaining = count;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = read(start, end - start);
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = block.subarray(0, at).lastIndexOf(NEWLINE)) {
      if (start + at === size - 1) continue;
      remaining -= 1;
      if (remaining === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
