import { readSync } from 'node:fs';

const MAGIC = 'SQLite format 3\0';

/**
 * The journal mode that the header of a database file states (https://sqlite.org/fileformat2.html, 1.3.3), or undefined
 * if the header is damaged. Reads a descriptor: closing one would drop SQLite's locks on the file in this process.
 */
export function journalModeOf(descriptor: number): 'rollback' | 'wal' | undefined {
  const header = Buffer.alloc(20);
  readSync(descriptor, header, 0, header.length, 0);
  if (header.toString('latin1', 0, 16) !== MAGIC) return undefined;
  const [writeVersion, readVersion] = [header[18], header[19]];
  if (writeVersion !== readVersion) return undefined;
  return writeVersion === 1 ? 'rollback' : writeVersion === 2 ? 'wal' : undefined;
}
