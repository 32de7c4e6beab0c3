const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * Where the last `count` lines of so many bytes begin, found by reading backwards in blocks. A newline at the very end
 * ends the last line, and begins none.
 */
export function lastLinesStart(
  read: (position: number, length: number) => Uint8Array,
  size: number,
  count: number,
): number {
  if (count === 0) return size;
  let left = count;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = read(start, end - start);
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = block.subarray(0, at).lastIndexOf(NEWLINE)) {
      if (start + at === size - 1) continue;
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
