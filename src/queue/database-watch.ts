import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Clock } from '../job/clock.ts';
import { step } from '../job/waits.ts';

/** Time stamps of files may be as coarse as the server's clock tick (4 to 10 ms), seconds on old file systems. */
const SETTLED_MS = 2_000;

/**
 * Sees that another process changed the database, without a lock. The file is opened anew each time, which makes an
 * NFS client ask the server; and only its attributes count, since the contents that a client has may be stale as long
 * as any process of the host has the file open for writing (measured, docs/nfs.md).
 */
export class DatabaseWatch {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly onReplaced: () => void;
  private inode: bigint | undefined;
  private seen = '';
  private seenMs = 0;
  private isSettled = false;

  /** `onReplaced` is called when there is another file of this name than at the last look. */
  constructor(path: string, clock: Clock, onReplaced: () => void = () => undefined) {
    this.path = path;
    this.clock = clock;
    this.onReplaced = onReplaced;
  }

  /**
   * True if the database may have changed since the last look. A change within one tick of the last leaves no trace,
   * so the first look after the attributes have been quiet for long enough is told to look once more.
   */
  hasChanged(): boolean {
    const attributes = this.attributes();
    const nowMs = this.clock.monotonicMs();
    if (attributes !== this.seen) {
      this.seen = attributes;
      this.seenMs = nowMs;
      this.isSettled = false;
      return true;
    }
    if (this.isSettled || nowMs - this.seenMs < SETTLED_MS) return false;
    this.isSettled = true;
    return true;
  }

  private attributes(): string {
    return step(`looking at ${this.path}`, () => this.look());
  }

  private look(): string {
    // Non-blocking: a pipe in its place would wait for a writer.
    const descriptor = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { ino, size, mtimeNs } = fstatSync(descriptor, { bigint: true });
      if (this.inode !== undefined && this.inode !== ino) this.onReplaced();
      this.inode = ino;
      return `${ino}:${size}:${mtimeNs}`;
    } finally {
      // Closing drops this process's POSIX locks on the file: never in the midst of a transaction, which is synchronous.
      closeSync(descriptor);
    }
  }
}
