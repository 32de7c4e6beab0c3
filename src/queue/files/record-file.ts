import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../job/file-errors.ts';
import { openFresh } from './fresh-open.ts';

const BLOCK_BYTES = 262_144;
const NEWLINE = 10;

/** A list of records in a file, one line of JSON each, which is larger than fits into memory. */
export class RecordFile<T> {
  count = 0;
  private unwritten = '';
  private bytes = 0;

  private constructor(
    private readonly file: number,
    private readonly path: string,
  ) {}

  /**
   * A file without a name in `TMPDIR`, or in /var/tmp, which unlike /tmp is rarely in memory. Nothing is left of it if the
   * process is killed.
   */
  static temporary<T>(): RecordFile<T> {
    const path = join(process.env['TMPDIR'] || '/var/tmp', `.rq-${randomUUID()}`);
    const records = RecordFile.create<T>(path);
    unlinkSync(path);
    return records;
  }

  static create<T>(path: string): RecordFile<T> {
    return attempt(path, () => new RecordFile(openSync(path, 'wx+', 0o600), path));
  }

  /** Opens a file to read it. Undefined if it does not exist. */
  static open<T>(path: string): RecordFile<T> | undefined {
    const file = openFresh(path);
    return file === undefined ? undefined : new RecordFile(file, path);
  }

  add(record: T): void {
    this.count += 1;
    this.unwritten += `${JSON.stringify(record)}\n`;
    if (this.unwritten.length >= BLOCK_BYTES) this.flush();
  }

  clear(): void {
    this.unwritten = '';
    this.count = 0;
    this.bytes = 0;
    ftruncateSync(this.file);
  }

  /** All records from the first one, in batches. */
  *batches(): Generator<T[]> {
    this.flush();
    const block = Buffer.alloc(BLOCK_BYTES);
    let rest = Buffer.alloc(0);
    for (let position = 0; ; ) {
      const length = readSync(this.file, block, 0, BLOCK_BYTES, position);
      if (length === 0) return;
      position += length;
      const read = Buffer.concat([rest, block.subarray(0, length)]);
      const end = read.lastIndexOf(NEWLINE) + 1;
      rest = read.subarray(end);
      const lines = read.toString('utf8', 0, end).split('\n').slice(0, -1);
      if (lines.length > 0) yield lines.map((line) => JSON.parse(line) as T);
    }
  }

  /** Writes what `add` has kept in memory. */
  flush(): void {
    const text = Buffer.from(this.unwritten);
    this.unwritten = '';
    attempt(this.path, () => {
      for (let at = 0; at < text.length; ) at += writeSync(this.file, text, at, text.length - at, this.bytes + at);
    });
    this.bytes += text.length;
  }

  close(): void {
    closeSync(this.file);
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(error, `write the temporary file ${path}`);
  }
}
