import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

const { O_NOFOLLOW, O_WRONLY } = constants;
/** fork-server.py has the same values. */
const RECORDS = 4096;
const RECORD_BYTES = 40;

/**
 * The file `begun`: a ring with the names of the latest attempts of which the start has begun. The runner or the fork
 * server writes a record before it does anything else for the attempt. The journal contains every attempt that is to
 * start, and this file shows which of them may have started. An attempt whose record was overwritten is in the journal
 * as started. The first record is the id of the journal.
 */
export class StartRecords {
  private count = 0;

  constructor(readonly path: string) {}

  /** The names of the attempts. Undefined if the file cannot be read or belongs to another journal. */
  read(journalId: string | undefined): Set<string> | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'latin1');
    } catch {
      return undefined;
    }
    const [first, ...names] = text.split('\n').map((line) => line.trim());
    return first === journalId ? new Set(names) : undefined;
  }

  /** Creates an empty file. It has its final size, so that a full disk cannot prevent a later record. */
  reset(journalId: string): void {
    const blank = Array<string>(RECORDS - 1).fill('');
    writeFileSync(`${this.path}.new`, [journalId, ...blank].map(record).join(''), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
    this.count = 0;
  }

  /** Records that this process begins to start an attempt. */
  add(name: string): void {
    const descriptor = openSync(this.path, O_WRONLY | O_NOFOLLOW);
    try {
      writeSync(descriptor, record(name), RECORD_BYTES * (1 + (this.count++ % (RECORDS - 1))), 'latin1');
    } finally {
      closeSync(descriptor);
    }
  }
}

function record(name: string): string {
  return `${name.padEnd(RECORD_BYTES - 1)}\n`;
}
