import { closeSync, fstatSync, readSync } from 'node:fs';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { openFresh } from '../files/fresh-open.ts';
import { lastLinesStart } from './last-lines.ts';

const CHUNK_BYTES = 1024 * 1024;
/** The number of bytes before the offset that are read again: they differ in a file that was written anew. */
const LAST_BYTES = 256;

/**
 * Reads a file piece by piece while a job writes it, perhaps on another host. Opens the file for each piece, so that an
 * NFS client asks the server for its size, and never keeps it open, which would keep a removed file.
 */
export class OutputFile {
  private readonly path: string;
  private offset = 0;
  private lastBytes = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** Moves to the last `count` lines, or to the end for 0. Throws IO. */
  seekLastLines(count: number): void {
    this.rewind();
    if (count === Number.POSITIVE_INFINITY) return;
    this.offset =
      this.withFile((file, size) => lastLinesStart((at, length) => readAt(file, at, length), size, count)) ?? 0;
  }

  rewind(): void {
    this.offset = 0;
    this.lastBytes = Buffer.alloc(0);
  }

  /** The next bytes; undefined if there are none yet; `cut` if the file no longer has the bytes read before. Throws IO. */
  next(): Uint8Array | 'cut' | undefined {
    return this.withFile((file, size) => {
      if (size < this.offset) return 'cut';
      if (size === this.offset) return undefined;
      // Not beyond this size: an NFS client may return zeros there that no process wrote.
      const start = this.offset - this.lastBytes.length;
      const bytes = readAt(file, start, Math.min(size - start, this.lastBytes.length + CHUNK_BYTES));
      if (!bytes.subarray(0, this.lastBytes.length).equals(this.lastBytes)) return 'cut';
      const data = bytes.subarray(this.lastBytes.length);
      this.offset += data.length;
      this.lastBytes = Buffer.from(bytes.subarray(-LAST_BYTES));
      return data.length === 0 ? undefined : data;
    });
  }

  private withFile<T>(work: (file: number, size: number) => T): T | undefined {
    let file: number | undefined;
    try {
      file = openFresh(this.path);
      if (file === undefined) return undefined;
      return work(file, fstatSync(file).size);
    } catch (error) {
      // Removed on another host since it was opened. The next call opens the current file.
      if (errorCode(error) === 'ESTALE') return undefined;
      if (error instanceof RqError) throw error;
      throw new RqError('IO', `cannot read ${this.path}: ${errorMessage(error)}`, { cause: error });
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
}

/** Reads `length` bytes at a position, or fewer at the end of the file. */
function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
