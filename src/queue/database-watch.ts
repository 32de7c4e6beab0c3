import { constants, fstatSync } from 'node:fs';
import { withOpenFile } from '../job/open-file.ts';
import type { Queue } from './open.ts';

/** Time stamps may be as coarse as the clock tick of the server (4 to 10 ms), or seconds on old file systems. */
const STABLE_MS = 2_000;

/**
 * Detects changes of the database by other processes, without a lock. It opens the file each time, which makes an NFS
 * client ask the server. It compares only attributes: cached contents may be stale as long as any process of the host
 * has the file open for writing (measured, docs/nfs.md).
 */
export class DatabaseWatch {
  private attributes = '';
  private changedMs = 0;
  private isStable = false;

  /** `onReplaced` is called if the database is another file than before, or than the one with this inode. */
  constructor(
    private readonly queue: Pick<Queue, 'database' | 'clock' | 'activity'>,
    private readonly onReplaced: () => void = () => undefined,
    private inode?: bigint,
  ) {}

  /**
   * Whether the database may have changed since the last call. Two changes within one clock tick have the same
   * attributes. The first call after the attributes are stable therefore returns true once more.
   */
  hasChanged(): boolean {
    const { activity, clock, database } = this.queue;
    const attributes = activity.during(`checking ${database}`, () => this.readAttributes());
    const nowMs = clock.monotonicMs();
    if (attributes !== this.attributes) {
      this.attributes = attributes;
      this.changedMs = nowMs;
      this.isStable = false;
      return true;
    }
    if (this.isStable || nowMs - this.changedMs < STABLE_MS) return false;
    this.isStable = true;
    return true;
  }

  private readAttributes(): string {
    // Non-blocking, because a pipe under this name would wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    // Closing drops the POSIX locks of this process on the file. No transaction is open here: each is synchronous.
    const { ino, size, mtimeNs } = withOpenFile(this.queue.database, flags, (file) =>
      fstatSync(file, { bigint: true }),
    );
    if (this.inode !== undefined && this.inode !== ino) this.onReplaced();
    this.inode = ino;
    return `${ino}:${size}:${mtimeNs}`;
  }
}
