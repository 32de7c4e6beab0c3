import { randomUUID } from 'node:crypto';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import { hasChanged, type LockWait, sayChanged, step, withLockWait } from '../../job/waits.ts';
import { acquireLease, type Lease } from '../../lease/lease.ts';
import { type Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import { REMEMBERED_MS, readFence, wasCommitted, writeFence } from '../../store/operations.ts';
import type { Queue } from '../open.ts';
import { waitReason } from './wait-reason.ts';

/** What the work inside a transaction has: SQL, and a way to keep the lease when there is much of it. */
export interface Transaction {
  readonly connection: Connection;
  /** Cheap; to be called every now and then by work that may take longer than seconds. */
  refresh(): void;
}

/**
 * Changes a queue: the one function that opens a write transaction, in the seven steps of docs/transactions.md. The
 * work may run more than once, so it must have no effect but on the database. Throws BUSY after the queue's lock
 * timeout, OUTCOME_UNKNOWN if a failed commit could not be settled in it, and what the work throws, rolled back.
 */
export async function transaction<T>(queue: Queue, work: (transaction: Transaction) => T): Promise<T> {
  refuseReadOnly(queue);
  return await withLockWait((wait) => new Run(queue, work, wait, true).untilDone());
}

/** Rolls back what a writer that died has left, as any transaction does, and brings an older schema up to date. */
export async function settleQueue(queue: Queue): Promise<void> {
  refuseReadOnly(queue);
  await withLockWait((wait) => new Run(queue, () => undefined, wait, false).untilDone());
}

/** Throws QUEUE_UNSAFE for a queue that is only to be read. */
export function refuseReadOnly({ directory, readOnly }: Queue): void {
  if (readOnly === undefined) return;
  throw new RqError('QUEUE_UNSAFE', `cannot change ${directory}: ${readOnly}; name the queue itself`);
}

/** A commit that ended in an error: it may be there or not. */
interface Unsettled<T> {
  readonly generation: number;
  readonly operation: string;
  readonly sinceMs: number;
  readonly cause: unknown;
  readonly result: T;
}

const AGAIN = Symbol('again');
const RETRY_MS = 50;
/** A commit that waits for readers blocks the event loop, so that no signal is obeyed: not for longer than this. */
const COMMIT_MS = 2_000;

/** One call of `transaction`, through all its tries. */
class Run<T> {
  private readonly queue: Queue;
  private readonly work: (transaction: Transaction) => T;
  private readonly deadlineMs: number;
  private unsettled: Unsettled<T> | undefined;
  /** The fence that the last try met. */
  private fence = 0;
  /** Whether this process had changed something before. */
  private readonly wasChanged = hasChanged();
  /** Why the last try was not the last. */
  private cause: unknown;
  private readonly wait: LockWait;

  constructor(
    queue: Queue,
    work: (transaction: Transaction) => T,
    wait: LockWait,
    /** Whether it is one that its caller is told of. */
    private readonly isChange: boolean,
  ) {
    this.wait = wait;
    this.queue = queue;
    this.work = work;
    this.deadlineMs = queue.clock.monotonicMs() + queue.lockTimeoutMs;
  }

  async untilDone(): Promise<T> {
    const { clock } = this.queue;
    for (;;) {
      const lease = await this.acquire();
      let result: T | typeof AGAIN;
      try {
        result = step(`changing ${this.queue.database}`, () => this.attempt(lease));
      } finally {
        if (this.queue.locking === 'lease') this.queue.close();
        await lease.release();
      }
      if (result !== AGAIN) return result;
      if (clock.monotonicMs() >= this.deadlineMs) throw this.outOfTime();
      if (this.cause !== undefined) this.wait.say(waitReason(this.queue.database, this.cause));
      await clock.sleep(RETRY_MS * Math.random());
    }
  }

  private async acquire(): Promise<Lease> {
    const { clock, directory, leases, staleMs } = this.queue;
    const timeoutMs = Math.max(0, this.deadlineMs - clock.monotonicMs());
    try {
      // Without locks of the database, one more look at the directory is all that keeps a late contender out.
      const isFenced = this.queue.locking === 'posix';
      const options = { clock, timeoutMs, above: this.fence, guess: leases.guess, isFenced };
      const lease = await acquireLease(directory, staleMs === undefined ? options : { ...options, staleMs });
      leases.acquired(lease.generation);
      return lease;
    } catch (error) {
      throw this.unsettled === undefined ? error : this.outcomeUnknown();
    }
  }

  /** Steps 2 to 6, from the database's lock to the commit. Nothing in it waits, but for the database. */
  private attempt(lease: Lease): T | typeof AGAIN {
    const { queue } = this;
    const wasOpen = queue.isOpen;
    try {
      // Without locks, to open the database rolls back what another is writing: not when its lease is not ours any more.
      if (queue.locking === 'lease' && !lease.isOwned()) return AGAIN;
      const connection = queue.connect('write');
      // A transaction that outlived an error in its connection would make every later one fail.
      if (connection.inTransaction) connection.execute('ROLLBACK');
      connection.execute('BEGIN IMMEDIATE');
      return this.inTransaction(connection, lease);
    } catch (error) {
      this.rollBack();
      if (this.unsettled === undefined) sayChanged(this.wasChanged);
      // It is closed now: the next try opens the file that is in its place, or reads it while nobody else writes.
      if (mayBeReplaced(errorCode(error) ?? '') && (wasOpen || !lease.isOwned())) return AGAIN;
      return this.afterError(error);
    }
  }

  private inTransaction(connection: Connection, lease: Lease): T | typeof AGAIN {
    connection.version();
    const { unsettled } = this;
    if (unsettled !== undefined) {
      if (wasCommitted(connection, unsettled.generation, unsettled.operation)) {
        connection.execute('ROLLBACK');
        return unsettled.result;
      }
      // Operations are remembered for a day; one that was not settled long before that never will be.
      if (this.queue.clock.monotonicMs() - unsettled.sinceMs > REMEMBERED_MS / 2) throw this.outcomeUnknown();
      this.unsettled = undefined;
      sayChanged(this.wasChanged);
    }
    this.fence = readFence(connection);
    if (this.fence >= lease.generation) return this.notTheHighest(connection);
    connection.migrate();
    const operation = `${hostName()}/${process.pid}/${randomUUID()}`;
    const now = this.queue.clock.now();
    writeFence(connection, { fence: this.fence, generation: lease.generation, operation, now });
    crashAt('transaction-begun');
    const result = this.work({ connection, refresh: () => lease.refresh() });
    return this.commit(connection, lease, operation, result);
  }

  private commit(connection: Connection, lease: Lease, operation: string, result: T): T | typeof AGAIN {
    const { clock } = this.queue;
    const sinceMs = clock.monotonicMs();
    if (this.isChange) sayChanged(true);
    crashAt('transaction-worked');
    for (;;) {
      if (!lease.isOwned()) return this.notTheHighest(connection);
      try {
        step(`committing to ${this.queue.database}`, () => connection.execute('COMMIT'));
        crashAt('transaction-committed');
        return result;
      } catch (cause) {
        // BUSY: a reader has not finished. The transaction stands, and may be committed while the lease is ours.
        if (errorCode(cause)?.startsWith('SQLITE_BUSY') === true && connection.inTransaction) {
          if (clock.monotonicMs() >= Math.min(this.deadlineMs, sinceMs + COMMIT_MS))
            return this.again(connection, cause);
          this.wait.say(waitReason(this.queue.database, cause));
          lease.refresh();
          continue;
        }
        if (errorCode(cause) === 'SQLITE_FULL') throw cause;
        this.queue.close();
        this.unsettled = { generation: lease.generation, operation, sinceMs, cause, result };
        return AGAIN;
      }
    }
  }

  private notTheHighest(connection: Connection): typeof AGAIN {
    this.queue.leases.missed();
    return this.again(connection, undefined);
  }

  private again(connection: Connection, cause: unknown): typeof AGAIN {
    this.cause = cause;
    connection.execute('ROLLBACK');
    sayChanged(this.wasChanged);
    return AGAIN;
  }

  /** An error before the commit: start over where that can help, else throw it in words for people. */
  private afterError(error: unknown): typeof AGAIN {
    const code = errorCode(error) ?? '';
    // BUSY by itself is the lease's word: it ran out or was broken while the work was done.
    if (!/^(SQLITE_BUSY|SQLITE_IOERR|BUSY$|EIO$|ESTALE$)/.test(code)) throw storeError(error, this.queue.database);
    this.cause = error;
    return AGAIN;
  }

  private rollBack(): void {
    const { queue } = this;
    try {
      const connection = queue.connect('write');
      if (connection.inTransaction) connection.execute('ROLLBACK');
    } catch (error) {
      // Whoever opens the database next rolls it back.
      if (errorCode(error)?.startsWith('SQLITE_') !== true) throw error;
    }
    queue.close();
  }

  private outOfTime(): RqError {
    if (this.unsettled !== undefined) return this.outcomeUnknown();
    const translated = storeError(this.cause, this.queue.database);
    if (translated instanceof RqError && translated.code === 'IO') return translated;
    const seconds = (this.queue.lockTimeoutMs / 1000).toFixed(0);
    return new RqError(
      'BUSY',
      `cannot change ${this.queue.directory} within ${seconds} s: another process is in the midst of a transaction; try again, or wait longer with --lock-timeout`,
      { cause: this.cause },
    );
  }

  private outcomeUnknown(): RqError {
    const { directory } = this.queue;
    return new RqError(
      'OUTCOME_UNKNOWN',
      `cannot tell whether the change to ${directory} was committed: its file system failed and did not come back in time; look with: rq ${directory} list`,
      { cause: this.unsettled?.cause },
    );
  }
}
