import { type FSWatcher, watch } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { DatabaseWatch } from '../database-watch.ts';
import type { Queue } from '../open.ts';
import { Turns } from './turns.ts';

/** A random time of up to this share of the interval is added to it, so that waiters do not poll in step. */
const JITTER = 0.5;
/** A commit changes the file several times. */
const COMMIT_MS = 20;
/**
 * Waits for changes of the database without a lock. The kernel reports changes by processes of this host at once
 * (inotify(7)), also on NFS. It reports none of other hosts, and none at all where the user watches too many files.
 * Therefore the attributes of the file are polled as well.
 */
export class QueueChanges {
  isStopped = false;
  private readonly attributes: DatabaseWatch;
  private watcher: FSWatcher | undefined;
  private hasEvent = false;
  private isCertain = false;
  private sleeper = new AbortController();
  private pollMs = 0;
  /** When to read after an event. */
  private readMs = 0;
  private readonly turns = new Turns();

  /** `intervalMs`: the shortest time between two polls. */
  constructor(
    private readonly queue: Queue,
    private readonly intervalMs: number,
  ) {
    this.attributes = new DatabaseWatch(queue, () => this.useReplacement());
  }

  /** Begins to watch. Call it before the first read. */
  start(): void {
    this.arm();
    this.haveChanged();
    this.schedulePoll();
  }

  /** Makes the next poll return true whatever the attributes are, because a read failed. */
  expectChange(): void {
    this.isCertain = true;
  }

  /** Resolves with true when the database may have changed, or with false after `limitMs` or `stop`. */
  async next(limitMs: number): Promise<boolean> {
    const { clock } = this.queue;
    const endMs = clock.monotonicMs() + limitMs;
    while (!this.isStopped) {
      await this.sleep(Math.min(this.dueMs(), endMs) - clock.monotonicMs());
      if (this.isStopped) return false;
      const nowMs = clock.monotonicMs();
      if (nowMs >= this.dueMs() && this.look(nowMs)) return true;
      if (nowMs >= endMs) return false;
    }
    return false;
  }

  /** Ends a wait in progress, and all further ones. */
  stop(): void {
    this.isStopped = true;
    this.disarm();
    this.sleeper.abort();
  }

  private dueMs(): number {
    return this.hasEvent ? Math.min(this.readMs, this.pollMs) : this.pollMs;
  }

  private look(nowMs: number): boolean {
    const { hasEvent } = this;
    if (hasEvent) {
      if (nowMs < this.pollMs && !this.turns.take()) {
        this.readMs = nowMs + this.turns.nextRetryMs();
        return false;
      }
      // Before the attributes are read, so that a later change is another event.
      this.hasEvent = false;
      this.arm();
    }
    this.schedulePoll();
    return this.haveChanged() || hasEvent;
  }

  private schedulePoll(): void {
    this.pollMs = this.queue.clock.monotonicMs() + this.intervalMs * (1 + JITTER * Math.random());
  }

  private haveChanged(): boolean {
    const isCertain = this.isCertain;
    this.isCertain = false;
    try {
      return this.attributes.hasChanged() || isCertain;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      // The file cannot be opened: it may have been removed. The read that follows opens it, too, and gives a clear error.
      this.queue.close();
      return true;
    }
  }

  /** `recover` replaces the file. */
  private useReplacement(): void {
    this.queue.close();
    this.arm();
  }

  private arm(): void {
    this.disarm();
    try {
      this.watcher = watch(this.queue.database, () => this.onEvent());
      this.watcher.on('error', () => this.disarm());
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
  }

  /** One event is enough: others would only use processor time until the database is read. */
  private onEvent(): void {
    this.disarm();
    this.hasEvent = true;
    this.readMs = this.queue.clock.monotonicMs() + COMMIT_MS;
    this.sleeper.abort();
  }

  private disarm(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }

  private async sleep(ms: number): Promise<void> {
    if (ms > 0) await this.queue.clock.sleep(ms, this.sleeper.signal);
    if (this.sleeper.signal.aborted) this.sleeper = new AbortController();
  }
}
