import { RqError } from '../../job/errors.ts';
import { type Identity, inodeOf, readQueueIdentity } from '../../queue/identity.ts';
import type { Queue } from '../../queue/open.ts';
import { recordQueue } from './queue-record.ts';

/** Distinguishes a database that `recover` has replaced from one that belongs to another queue. */
export class IdentityCheck {
  constructor(
    private readonly queue: Queue,
    private readonly runtimeDirectory: string,
    readonly identity: Identity,
  ) {}

  /** Call it when a different file has replaced the database. Throws NO_QUEUE if it belongs to another queue. */
  async confirm(): Promise<void> {
    const { queue, identity } = this;
    const { id, inode } = await readQueueIdentity(queue);
    if (id === identity.id && inode === inodeOf(queue.database)) {
      recordQueue(this.runtimeDirectory, queue, { ...identity, inode });
      return;
    }
    throw new RqError(
      'NO_QUEUE',
      `cannot continue to feed from ${queue.directory}: another queue, such as a restored backup, has replaced it; running jobs continue`,
    );
  }
}
