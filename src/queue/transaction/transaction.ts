import { randomUUID } from 'node:crypto';
import type { OpenWait } from '../../job/activity.ts';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Connection, mayBeReplaced, storeError } from '../../store/connection.ts';
import { REMEMBERED_MS, readFence, wasCommitted, writeFence } from '../../store/operations.ts';
import type { Queue } from '../open.ts';
import { timeoutError } from './retry.ts';
import { isLocked, isTransient, waitReason } from './transient.ts';

/** The arguments of the work in a transaction. */
export interface Transaction {
  readonly connection: Connection;
  /** Refreshes the lease. Work that may take longer than seconds calls it now and then; it is cheap. */
  refresh(): void;
}

/** Prepares an upgrade under the lease. It may run more than once. */
export type PrepareUpgrade = (lease: Lease) => Promise<void>;

/**
 * Changes a queue. Only this function opens a write transaction, in the seven steps of docs/transactions.md. The work may
 * run more than once, so it must have no effect except on the database. Throws BUSY after the queue's lock timeout,
 * OUTCOME_UNKNOWN if the outcome of a failed commit could not be determined in that time, and any error of the work,
 * which is rolled back. Throws QUEUE_OUTDATED for an older schema. With `prepareUpgrade`, which runs before the database is
 * locked, the schema may be older, and the work migrates it.
 */
export async function transaction<T>(
  queue: Queue,
  work: (transaction: Transaction) => T,
  prepareUpgrade?: PrepareUpgrade,
): Promise<T> {
  refuseReadOnly(queue);
  return await queue.activity.waiting((wait) => new TransactionRun(queue, { work, prepareUpgrade }, wait).run());
}

/** Throws QUEUE_UNSAFE for a read-only queue. */
export function refuseReadOnly({ directory, readOnly }: Queue): void {
  if (readOnly === undefined) return;
  throw new RqError('QUEUE_UNSAFE', `cannot change ${directory}: ${readOnly}; use the original queue`);
}

/** A commit that ended in an error, so that it may have succeeded. */
interface UncertainCommit<T> {
  readonly generation: number;
  readonly operation: string;
  readonly sinceMs: number;
  readonly cause: unknown;
  readonly result: T;
}

/** The result of a try after which the transaction starts over. */
const RETRY = Symbol('retry');
const RETRY_MS = 50;
/** How long a commit waits for readers. It blocks the event loop, so that signals are not handled. */
const COMMIT_MS = 2_000;

/** One call of `transaction`, with all its tries. */
class TransactionRun<T> {
  private readonly deadlineMs: number;
  private uncertain: UncertainCommit<T> | undefined;
  /** The fence that the last try read. */
  private fence = 0;
  /** Whether this process had changed the queue before. */
  private readonly hadChanged: boolean;
  /** The error that ended the last try, if any. */
  private cause: unknown;

  constructor(
    private readonly queue: Queue,
    private readonly task: {
      readonly work: (transaction: Transaction) => T;
      readonly prepareUpgrade: PrepareUpgrade | undefined;
    },
    private readonly wait: OpenWait,
  ) {
    this.deadlineMs = queue.clock.monotonicMs() + queue.lockTimeoutMs;
    this.hadChanged = queue.activity.mayHaveChanged;
  }

  async run(): Promise<T> {
    const { clock, database, activity, locking } = this.queue;
    for (;;) {
      const lease = await this.acquireLease();
      let result: T | typeof RETRY;
      try {
        await this.task.prepareUpgrade?.(lease);
        result = activity.during(`changing ${database}`, () => this.tryOnce(lease));
      } finally {
        if (locking === 'lease') this.queue.close();
        lease.release();
      }
      if (result !== RETRY) return result;
      if (clock.monotonicMs() >= this.deadlineMs) throw this.timeoutError();
      if (this.cause !== undefined) this.wait.for(waitReason(database, this.cause));
      await clock.sleep(RETRY_MS * Math.random());
    }
  }

  private async acquireLease(): Promise<Lease> {
    const { clock, leases, locking } = this.queue;
    const timeoutMs = Math.max(0, this.deadlineMs - clock.monotonicMs());
    try {
      // Without locks of the database, only another look at the directory keeps a slow contender out.
      return await leases.acquire({ timeoutMs, above: this.fence, isFenced: locking === 'posix' });
    } catch (error) {
      throw this.uncertain === undefined ? error : this.outcomeUnknown();
    }
  }

  /** Steps 2 to 6, from the lock of the database to the commit. They wait for nothing except the database. */
  private tryOnce(lease: Lease): T | typeof RETRY {
    const { queue } = this;
    const wasOpen = queue.isOpen;
    try {
      // Without locks, BEGIN would roll back a live writer's journal if the lease is lost.
      if (queue.locking === 'lease' && !lease.isOwned()) return RETRY;
      const connection = queue.connect('write');
      connection.execute('BEGIN IMMEDIATE');
      return this.inTransaction(connection, lease);
    } catch (error) {
      // An error can leave a transaction open, which this rolls back.
      queue.close();
      if (this.uncertain === undefined) queue.activity.mayHaveChanged = this.hadChanged;
      // The next try opens the file that now has the name, or reads it while no other process writes.
      if (mayBeReplaced(errorCode(error) ?? '') && (wasOpen || !lease.isOwned())) return RETRY;
      return this.retryIfTransient(error);
    }
  }

  private inTransaction(connection: Connection, lease: Lease): T | typeof RETRY {
    const { clock } = this.queue;
    if (this.task.prepareUpgrade === undefined) connection.requireCurrent();
    else connection.version();
    const { uncertain } = this;
    if (uncertain !== undefined) {
      if (wasCommitted(connection, uncertain.generation, uncertain.operation)) {
        connection.execute('ROLLBACK');
        return uncertain.result;
      }
      // An older operation may have been forgotten, and its absence then proves nothing.
      if (clock.monotonicMs() - uncertain.sinceMs > REMEMBERED_MS / 2) throw this.outcomeUnknown();
      this.uncertain = undefined;
      this.queue.activity.mayHaveChanged = this.hadChanged;
    }
    this.fence = readFence(connection);
    if (this.fence >= lease.generation) return this.retryWithHigherLease(connection);
    const operation = `${hostName()}/${process.pid}/${randomUUID()}`;
    writeFence(connection, { fence: this.fence, generation: lease.generation, operation, now: clock.now() });
    crashAt('transaction-begun');
    const result = this.task.work({ connection, refresh: () => lease.refresh() });
    return this.commit(connection, lease, operation, result);
  }

  private commit(connection: Connection, lease: Lease, operation: string, result: T): T | typeof RETRY {
    const { clock, activity, database } = this.queue;
    const sinceMs = clock.monotonicMs();
    activity.mayHaveChanged = true;
    crashAt('transaction-executed');
    for (;;) {
      if (!lease.isOwned()) return this.retryWithHigherLease(connection);
      try {
        activity.during(`committing to ${database}`, () => connection.execute('COMMIT'));
        crashAt('transaction-committed');
        return result;
      } catch (cause) {
        // BUSY: a reader is still reading. The transaction remains open, and may be committed while the lease is owned.
        if (isLocked(errorCode(cause) ?? '') && connection.inTransaction) {
          if (clock.monotonicMs() >= Math.min(this.deadlineMs, sinceMs + COMMIT_MS)) {
            return this.rollBackAndRetry(connection, cause);
          }
          this.wait.for(waitReason(database, cause));
          lease.refresh();
          continue;
        }
        if (errorCode(cause) === 'SQLITE_FULL') throw cause;
        this.queue.close();
        this.uncertain = { generation: lease.generation, operation, sinceMs, cause, result };
        return RETRY;
      }
    }
  }

  private retryWithHigherLease(connection: Connection): typeof RETRY {
    this.queue.leases.history.wasNotHighest();
    return this.rollBackAndRetry(connection, undefined);
  }

  private rollBackAndRetry(connection: Connection, cause: unknown): typeof RETRY {
    this.cause = cause;
    connection.execute('ROLLBACK');
    this.queue.activity.mayHaveChanged = this.hadChanged;
    return RETRY;
  }

  /** Handles an error before the commit. Throws an error that a retry cannot fix, with a message for the user. */
  private retryIfTransient(error: unknown): typeof RETRY {
    const code = errorCode(error) ?? '';
    // BUSY without a prefix: the lease expired or was broken during the work.
    if (!isTransient(code) && code !== 'BUSY') throw storeError(error, this.queue.database);
    this.cause = error;
    return RETRY;
  }

  private timeoutError(): unknown {
    if (this.uncertain !== undefined) return this.outcomeUnknown();
    return timeoutError(
      this.queue,
      `change ${this.queue.directory}`,
      'another process is running a transaction',
      this.cause,
    );
  }

  private outcomeUnknown(): RqError {
    const { directory } = this.queue;
    return new RqError(
      'OUTCOME_UNKNOWN',
      `cannot determine whether the change to ${directory} was committed: the file system failed and did not recover in time; check with: rq ${directory} list`,
      { cause: this.uncertain?.cause },
    );
  }
}
