import type { PageFile } from './page-file.ts';
import { readVarint } from './record.ts';

/** The four types of pages of trees, by their first byte (https://sqlite.org/fileformat2.html, 1.6). */
const TYPES = {
  2: { isTable: false, isLeaf: false },
  5: { isTable: true, isLeaf: false },
  10: { isTable: false, isLeaf: true },
  13: { isTable: true, isLeaf: true },
} as const;

export interface Cell {
  /** Where it lies in its page; `end` is the byte after its last. */
  readonly start: number;
  readonly end: number;
  /** The page below it, 0 in a leaf. */
  readonly child: number;
  /** 0 in an index. */
  readonly rowid: number;
  readonly payloadBytes: number;
  /** Where the payload's first bytes lie. */
  readonly payloadStart: number;
  /** The page where it goes on, 0 if it does not. */
  readonly overflow: number;
}

export interface TreePage {
  readonly number: number;
  readonly isTable: boolean;
  readonly isLeaf: boolean;
  readonly bytes: Buffer;
  readonly cells: readonly Cell[];
  /** Where there should be cells and are none that can be read. */
  readonly broken: readonly number[];
  /** The cells, the free blocks and what is between fill the page to the byte. Unknown, so true, with broken cells. */
  readonly isSound: boolean;
  /** The last page below, 0 in a leaf. */
  readonly right: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Reads a page of a tree; undefined if it is none. */
export function readTreePage(file: PageFile, number: number): TreePage | undefined {
  const bytes = file.read(number);
  if (bytes === undefined) return undefined;
  const start = number === 1 ? 100 : 0;
  const type = TYPES[bytes[start] as keyof typeof TYPES];
  if (type === undefined) return undefined;
  const pointers = start + (type.isLeaf ? 8 : 12);
  const count = bytes.readUInt16BE(start + 3);
  const content = bytes.readUInt16BE(start + 5) || 65_536;
  const pointersEnd = pointers + count * 2;
  if (pointersEnd > content || content > bytes.length) return undefined;
  const cells: Cell[] = [];
  const broken: number[] = [];
  for (let index = 0; index < count; index++) {
    const at = bytes.readUInt16BE(pointers + index * 2);
    const cell = at < content ? undefined : readCell(file, bytes, at, type);
    if (cell === undefined) broken.push(at);
    else cells.push(cell);
  }
  const free = freeBlocks(bytes, bytes.readUInt16BE(start + 1));
  return {
    number,
    ...type,
    bytes,
    cells,
    broken,
    isSound: free !== undefined && isFilled([...cells, ...free], content, bytes, start + 7, broken.length === 0),
    right: type.isLeaf ? 0 : bytes.readUInt32BE(start + 8),
  };
}

function readCell(
  file: PageFile,
  bytes: Buffer,
  start: number,
  { isTable, isLeaf }: { isTable: boolean; isLeaf: boolean },
): Cell | undefined {
  let at = start;
  if (start + 4 > bytes.length) return undefined;
  const child = isLeaf ? 0 : bytes.readUInt32BE(at);
  if (!isLeaf) at += 4;
  const none = { payloadBytes: 0, payloadStart: at, overflow: 0 };
  const length = isTable && !isLeaf ? { value: 0, next: at } : readVarint(bytes, at);
  if (length === undefined) return undefined;
  const rowid = isTable ? readVarint(bytes, length.next) : { value: 0, next: length.next };
  if (rowid === undefined) return undefined;
  if (isTable && !isLeaf) return { start, end: rowid.next, child, rowid: rowid.value, ...none };
  const local = localBytes(length.value, bytes.length, isTable);
  const localEnd = rowid.next + local;
  const end = local < length.value ? localEnd + 4 : localEnd;
  // Four bytes are a cell's least, so that a free block fits in its place.
  if (length.value < 2 || end > bytes.length) return undefined;
  const overflow = local < length.value ? bytes.readUInt32BE(localEnd) : 0;
  if (local < length.value && (overflow < 2 || overflow > file.pageCount)) return undefined;
  const payload = { payloadBytes: length.value, payloadStart: rowid.next, overflow };
  return { start, end: Math.max(end, start + 4), child, rowid: rowid.value, ...payload };
}

/** How much of a payload lies in the page itself (fileformat2, 1.6: U, X, M and K there). */
function localBytes(payload: number, usable: number, isTable: boolean): number {
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (payload <= most) return payload;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((payload - least) % (usable - 4));
  return fitting <= most ? fitting : least;
}

function freeBlocks(bytes: Buffer, first: number): Span[] | undefined {
  const blocks: Span[] = [];
  let at = first;
  while (at !== 0) {
    const size = at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : 0;
    const previous = blocks.at(-1);
    if (size < 4 || at + size > bytes.length || (previous !== undefined && at < previous.end)) return undefined;
    blocks.push({ start: at, end: at + size });
    at = bytes.readUInt16BE(at);
  }
  return blocks;
}

/** Whether nothing overlaps and, where every cell could be read, what is between is as much as the page says. */
function isFilled(
  spans: readonly Span[],
  content: number,
  bytes: Buffer,
  fragmentsAt: number,
  isComplete: boolean,
): boolean {
  let end = content;
  let between = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start < end) return false;
    between += span.start - end;
    end = span.end;
  }
  return !isComplete || between + bytes.length - end === bytes[fragmentsAt];
}
