import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

const { O_NOFOLLOW, O_WRONLY } = constants;
/** As in fork-server.py. */
const RECORDS = 4096;
const RECORD_BYTES = 40;

/**
 * The names of the attempts that were begun with last, in a file of its own: each is written before anything is done
 * for the attempt, also by the fork server. The journal knows what is to be started; this, what may have been. It is a
 * ring: what it knows no more, the journal has long known as started. The first record is the journal's id.
 */
export class BegunRecords {
  private count = 0;

  constructor(readonly path: string) {}

  /** The names in it; undefined if it is not that of the journal, so that it says nothing. */
  read(journal: string | undefined): Set<string> | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'latin1');
    } catch {
      return undefined;
    }
    const [first, ...names] = text.split('\n').map((line) => line.trim());
    return first === journal ? new Set(names) : undefined;
  }

  /** Begins it anew, whole: room for all of it is taken now, so that none is missing later. Throws what the disk says. */
  reset(journal: string): void {
    const blank = Array<string>(RECORDS - 1).fill('');
    writeFileSync(`${this.path}.new`, [journal, ...blank].map(record).join(''), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
    this.count = 0;
  }

  /** Notes an attempt that this process is about to begin with. Throws what the disk says. */
  note(name: string): void {
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
