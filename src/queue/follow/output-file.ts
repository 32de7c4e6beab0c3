import { closeSync, fstatSync, readSync } from 'node:fs';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { openFresh } from '../files/fresh-open.ts';
import { lastLinesStart } from './last-lines.ts';

const CHUNK_BYTES = 1024 * 1024;
/** So many bytes before the place that was reached are read again: others stand there in a file that was begun anew. */
const KNOWN_BYTES = 256;

/**
 * A file that a job writes, perhaps on another host, read piece by piece. It is opened anew for each piece, so that an
 * NFS client asks the server how long it is, and never held open: a file that is removed must be gone.
 */
export class OutputFile {
  private readonly path: string;
  private offset = 0;
  private known = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** Goes on at the last lines, or at the end for 0 of them. Throws IO. */
  toLastLines(count: number): void {
    this.rewind();
    if (count === Number.POSITIVE_INFINITY) return;
    this.offset =
      this.withFile((file, size) => lastLinesStart((at, length) => readAt(file, at, length), size, count)) ?? 0;
  }

  rewind(): void {
    this.offset = 0;
    this.known = Buffer.alloc(0);
  }

  /** The next bytes, undefined where there are none yet; `cut` if what was read is not there any more. Throws IO. */
  next(): Uint8Array | 'cut' | undefined {
    return this.withFile((file, size) => {
      if (size < this.offset) return 'cut';
      if (size === this.offset) return undefined;
      // Never beyond the size that was told: what a client has there may be zeros that nobody wrote.
      const start = this.offset - this.known.length;
      const bytes = readAt(file, start, Math.min(size - start, this.known.length + CHUNK_BYTES));
      if (!bytes.subarray(0, this.known.length).equals(this.known)) return 'cut';
      const data = bytes.subarray(this.known.length);
      this.offset += data.length;
      this.known = Buffer.from(bytes.subarray(-KNOWN_BYTES));
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
      // Removed on another host since it was opened: the next open finds what is there now.
      if (errorCode(error) === 'ESTALE') return undefined;
      if (error instanceof RqError) throw error;
      throw new RqError('IO', `cannot read ${this.path}: ${errorMessage(error)}`, { cause: error });
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
}

/** So many bytes from a place on; fewer only where the file ends. */
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
