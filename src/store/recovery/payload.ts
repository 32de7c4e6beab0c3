import { isUtf8 } from 'node:buffer';
import type { PageFile } from './page-file.ts';
import { recordBytes } from './record.ts';
import { type Cell, readTreePage, type TreePage } from './tree-page.ts';

export interface Payload {
  readonly bytes: Buffer;
  /** The pages, beside its own, that it goes on in. */
  readonly overflow: readonly number[];
}

/** How far the next cell may be from a cell's end: fragments are shorter than a free block. */
const MOST_BETWEEN = 3;

/** A cell's whole payload; undefined if its chain of overflow pages is not exactly as long as it must be. */
export function readPayload(file: PageFile, page: TreePage, cell: Cell): Payload | undefined {
  const { payloadBytes, payloadStart, overflow } = cell;
  if (overflow === 0) {
    return { bytes: page.bytes.subarray(payloadStart, payloadStart + payloadBytes), overflow: [] };
  }
  const parts = [page.bytes.subarray(payloadStart, cell.end - 4)];
  const pages: number[] = [];
  let missing = payloadBytes - (parts[0]?.length ?? 0);
  if (missing > file.length * file.pageSize) return undefined;
  let next = overflow;
  while (missing > 0) {
    const bytes = file.read(next);
    if (bytes === undefined || pages.includes(next)) return undefined;
    pages.push(next);
    const part = bytes.subarray(4, Math.min(bytes.length, 4 + missing));
    parts.push(part);
    missing -= part.length;
    next = bytes.readUInt32BE(0);
  }
  return next === 0 ? { bytes: Buffer.concat(parts), overflow: pages } : undefined;
}

/** Where cells begin that are broken in their first bytes, where their length and the kinds of their values stand. */
export function brokenHeads(page: TreePage): number[] {
  const heads = page.cells.filter((cell) => {
    const local = page.bytes.subarray(cell.payloadStart, cell.end - (cell.overflow === 0 ? 0 : 4));
    return cell.payloadBytes !== 0 && recordBytes(local) !== cell.payloadBytes;
  });
  return [...page.broken, ...heads.map(({ start }) => start)];
}

/**
 * Whether a cell's last bytes may be part of a damage that begins in them: what follows them in the file is broken from
 * its first byte on. Zeros can be told from text by themselves, so zeros that follow are no reason for doubt.
 */
export function mayBeCut(
  file: PageFile,
  page: TreePage,
  cell: Cell,
  { heads, overflow }: { readonly heads: readonly number[]; readonly overflow: readonly number[] },
): boolean {
  const isNextBroken = heads.some((at) => at >= cell.end && at <= cell.end + MOST_BETWEEN && !isZero(page.bytes, at));
  if (isNextBroken) return true;
  if (cell.end + MOST_BETWEEN >= page.bytes.length && isBroken(file, page.number + 1)) return true;
  return overflow.slice(0, -1).some((number) => isBroken(file, number + 1));
}

function isZero(bytes: Buffer, at: number): boolean {
  return bytes.subarray(at, at + 4).every((byte) => byte === 0);
}

/**
 * Whether a page can be of no kind at all, neither a page of a tree nor one that begins with a pointer, and its end is
 * as it was. A page that is garbage throughout was damaged as a page, as disks do, and the one before it was not.
 */
function isBroken(file: PageFile, number: number): boolean {
  const bytes = file.read(number);
  if (bytes === undefined || isZero(bytes, 0) || bytes.readUInt32BE(0) <= file.pageCount) return false;
  return readTreePage(file, number) === undefined && isUtf8(bytes.subarray(-32));
}
