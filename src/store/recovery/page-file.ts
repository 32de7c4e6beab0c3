import { fstatSync, readSync } from 'node:fs';

const MAGIC = 'SQLite format 3\0';
/** What better-sqlite3 gives every new database; nothing in rq asks for another. */
const DEFAULT_PAGE_SIZE = 4096;

/** What the first 100 bytes of a database say (https://sqlite.org/fileformat2.html, 1.3). */
export interface FileHeader {
  /** How many pages there should be; a file that was cut off has fewer. */
  readonly pageCount: number;
  readonly firstTrunk: number;
  readonly freePages: number;
}

/** The pages of a database file, read through a descriptor that stays its owner's, without SQLite and its locks. */
export class PageFile {
  readonly pageSize: number;
  /** Whole pages that are there. */
  readonly length: number;
  /** Undefined where it is damaged. */
  readonly header: FileHeader | undefined;
  /** SQLite would take it for a database with a rollback journal, and not make a log of the other kind beside it. */
  readonly hasRollbackJournal: boolean;
  /** SQLite would make that log, which hosts cannot share. */
  readonly hasWriteAheadLog: boolean;

  constructor(private readonly descriptor: number) {
    const start = Buffer.alloc(100);
    readSync(descriptor, start, 0, start.length, 0);
    const size = start.readUInt16BE(16) === 1 ? 65_536 : start.readUInt16BE(16);
    const isSize = size >= 512 && (size & (size - 1)) === 0;
    this.pageSize = isSize && start.toString('latin1', 0, 16) === MAGIC ? size : DEFAULT_PAGE_SIZE;
    this.length = Math.floor(fstatSync(descriptor).size / this.pageSize);
    this.header = readHeader(start, this.length);
    this.hasRollbackJournal = start.readUInt16BE(18) === 0x01_01;
    this.hasWriteAheadLog = start.toString('latin1', 0, 16) === MAGIC && start.readUInt16BE(18) === 0x02_02;
  }

  /** How many pages a pointer may point to. */
  get pageCount(): number {
    return this.header?.pageCount ?? this.length;
  }

  /** A page, undefined if it is not there. */
  read(number: number): Buffer | undefined {
    if (number < 1 || number > this.length) return undefined;
    const bytes = Buffer.allocUnsafe(this.pageSize);
    const length = readSync(this.descriptor, bytes, 0, this.pageSize, (number - 1) * this.pageSize);
    return length === this.pageSize ? bytes : undefined;
  }
}

function readHeader(start: Buffer, length: number): FileHeader | undefined {
  const size = start.readUInt16BE(16);
  const isSound =
    start.toString('latin1', 0, 16) === MAGIC &&
    (size === 1 || (size >= 512 && (size & (size - 1)) === 0)) &&
    // A rollback journal, no reserved bytes, the three fractions that must be so.
    start.readUIntBE(18, 6) === 0x01_01_00_40_20_20 &&
    start.readUInt32BE(28) >= Math.max(length, 1) &&
    start.readUInt32BE(24) === start.readUInt32BE(92) &&
    // Schema format 4, UTF-8.
    start.readUInt32BE(44) === 4 &&
    start.readUInt32BE(56) === 1 &&
    start.subarray(72, 92).every((byte) => byte === 0);
  if (!isSound) return undefined;
  return {
    pageCount: start.readUInt32BE(28),
    firstTrunk: start.readUInt32BE(32),
    freePages: start.readUInt32BE(36),
  };
}

/** The pages that are in no tree, or undefined if that cannot be told for certain (fileformat2, 1.5). */
export function readFreelist(file: PageFile): Set<number> | undefined {
  if (file.header === undefined) return undefined;
  const { firstTrunk, freePages, pageCount } = file.header;
  const free = new Set<number>();
  let trunk = firstTrunk;
  while (trunk !== 0) {
    const bytes = file.read(trunk);
    const leaves = bytes?.readUInt32BE(4) ?? 0;
    if (bytes === undefined || free.has(trunk) || leaves > file.pageSize / 4 - 2) return undefined;
    free.add(trunk);
    for (let index = 0; index < leaves; index++) {
      const leaf = bytes.readUInt32BE(8 + index * 4);
      if (leaf < 2 || leaf > pageCount || free.has(leaf)) return undefined;
      free.add(leaf);
    }
    trunk = bytes.readUInt32BE(0);
  }
  return free.size === freePages ? free : undefined;
}
