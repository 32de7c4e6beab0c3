import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';

/** The bytes from `start` up to but excluding `end` were changed. */
export interface Damage {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

const SECTOR = 512;
const PAGE = 4096;
type Kind = (size: number, random: () => number) => { start: number; bytes: Buffer };

const KINDS: Readonly<Record<string, Kind>> = {
  sector: (size, random) => ({ start: whole(random, size / SECTOR) * SECTOR, bytes: Buffer.alloc(SECTOR) }),
  page: (size, random) => ({ start: whole(random, size / PAGE) * PAGE, bytes: Buffer.alloc(PAGE) }),
  pageOfGarbage: (size, random) => ({ start: whole(random, size / PAGE) * PAGE, bytes: garbage(random, PAGE) }),
  garbage: (size, random) => ({ start: whole(random, size), bytes: garbage(random, 16 + whole(random, PAGE - 15)) }),
  shortGarbage: (size, random) => ({ start: whole(random, size), bytes: garbage(random, 16 + whole(random, 49)) }),
  firstPage: (_, random) => ({ start: whole(random, PAGE), bytes: garbage(random, 16 + whole(random, 1024)) }),
  firstSector: () => ({ start: 0, bytes: Buffer.alloc(SECTOR) }),
};

/** Overwrites a random part of a file as a faulty disk does, or truncates the file. */
export function damageFile(path: string, random: () => number): Damage {
  const descriptor = openSync(path, 'r+');
  try {
    const { size } = fstatSync(descriptor);
    const kinds = [...Object.entries(KINDS), undefined];
    const chosen = kinds[whole(random, kinds.length)];
    if (chosen === undefined) {
      const start = whole(random, size);
      ftruncateSync(descriptor, start);
      return { kind: 'truncated', start, end: size };
    }
    const [kind, make] = chosen;
    const { start, bytes } = make(size, random);
    const end = Math.min(size, start + bytes.length);
    writeSync(descriptor, bytes, 0, end - start, start);
    return { kind, start, end };
  } finally {
    closeSync(descriptor);
  }
}

function whole(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

function garbage(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => whole(random, 256)));
}

/** Fills a page with zeros. */
export function zeroPage(path: string, number: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    writeSync(descriptor, Buffer.alloc(PAGE), 0, PAGE, (number - 1) * PAGE);
  } finally {
    closeSync(descriptor);
  }
}

/** Changes which rows the tag index contains: rows with a tag (the schema's definition), or rows without. */
export function keepIndexOf(path: string, tags: 'IS NOT NULL' | 'IS NULL'): void {
  const database = new Database(path);
  database.unsafeMode(true);
  database.pragma('writable_schema = ON');
  const sql = `CREATE INDEX jobs_by_tag ON jobs (tag) WHERE tag ${tags}`;
  database.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'jobs_by_tag'").run(sql);
  database.close();
}
