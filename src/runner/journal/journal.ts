import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../job/errors.ts';
import type { AttemptKey } from '../../job/job.ts';
import { mayBeShutdown } from '../host-shutdown.ts';
import type { Leader } from '../leader.ts';
import type { RunnerLog } from '../log.ts';
import { attemptName, type Exit, exitLine, RequestError } from '../protocol/messages.ts';
import { SHUT_DOWN_END } from '../start/attempt-end.ts';
import {
  ackLine,
  attemptLines,
  type JournaledAttempt,
  type LimitHit,
  limitLine,
  orderLine,
  type Pause,
  pauseLine,
  readJournal,
  spawnLine,
  startedLine,
  warnedLine,
} from './journal-entries.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

/**
 * The attempts that were spawned and are not acknowledged, in memory and in the file `journal`. The process must hold
 * the lock of the directory. Lines are buffered and written together, before the next start and before each report. Exits
 * are also synced to disk before they are reported.
 */
export class Journal {
  readonly id: string;
  /** The id in the environment of attempts that an earlier runner started. It differs from `id` after damage. */
  readonly previousId: string | undefined;
  readonly attempts: Map<string, JournaledAttempt>;
  private descriptor: number;
  private length = 0;
  private buffer: string[] = [];
  private scheduledFlush: NodeJS.Immediate | undefined;
  /** Resolves when no file is being synced. */
  private synced: Promise<unknown> = Promise.resolve();
  /** Acknowledged attempts whose lines are still in the file. */
  private acknowledged = 0;

  constructor(
    private readonly directory: string,
    private readonly boot: string,
    private readonly log: RunnerLog,
    private readonly compactAbove = 1000,
  ) {
    const found = readJournal(this.path);
    const isOfThisBoot = found?.boot === boot;
    if (found !== undefined && found.damagedLines > 0) log.journalDamaged(found.damagedLines);
    this.attempts = found?.attempts ?? new Map();
    if (found !== undefined && !isOfThisBoot) {
      log.journalOfEarlierBoot(found.boot);
      // A power cut can lose the last lines, so the exits are facts, but a missing attempt may have been started.
      for (const [name, attempt] of this.attempts) {
        if (attempt.exit === undefined) this.attempts.delete(name);
        else attempt.exit = afterReboot(attempt.exit);
      }
    }
    this.previousId = isOfThisBoot ? found?.id : undefined;
    this.id = found !== undefined && isOfThisBoot && found.damagedLines === 0 ? found.id : randomUUID();
    this.descriptor = this.rewrite();
  }

  /** Writes that attempts are to be started. Throws RequestError JOURNAL; the journal then contains none of them. */
  recordSpawns(attempts: readonly JournaledAttempt[]): void {
    const { length } = this.buffer;
    this.buffer.push(...attempts.map(spawnLine));
    try {
      this.writeBuffer();
    } catch (error) {
      this.buffer.length = length;
      throw new RequestError('JOURNAL', `cannot write the journal ${this.path}: ${errorMessage(error)}`, error);
    }
    for (const attempt of attempts) this.attempts.set(attemptName(attempt), attempt);
  }

  /**
   * Records an attempt that cannot be started, or that an earlier runner started. The caller must record its exit or start
   * before the next flush.
   */
  add(attempt: JournaledAttempt): void {
    this.attempts.set(attemptName(attempt), attempt);
    this.append(spawnLine(attempt));
  }

  recordStart(attempt: JournaledAttempt, leader: Leader): void {
    attempt.process = leader;
    this.append(startedLine(attempt, leader));
  }

  /**
   * Records that the signal of an order is sent. It is never sent again, so it is written first. False if it was sent
   * before. Throws RequestError JOURNAL.
   */
  recordOrder(attempt: JournaledAttempt, order: number): boolean {
    if (attempt.orders?.includes(order) === true) return false;
    attempt.orders = [...(attempt.orders ?? []), order];
    this.append(orderLine(attempt, order));
    try {
      this.flushOrThrow();
    } catch (error) {
      throw new RequestError('JOURNAL', `cannot write the journal ${this.path}: ${errorMessage(error)}`, error);
    }
    return true;
  }

  recordPause(attempt: JournaledAttempt, pause: Pause): void {
    attempt.pause = pause;
    this.append(pauseLine(attempt, pause));
  }

  recordWarning(attempt: JournaledAttempt): void {
    attempt.isWarned = true;
    this.append(warnedLine(attempt));
  }

  recordHit(attempt: JournaledAttempt, hit: LimitHit): void {
    attempt.hit = hit;
    this.append(limitLine(attempt, hit));
  }

  /** Returns the line of the exit, which is also the line of the event. */
  recordExit(attempt: JournaledAttempt, exit: Exit): string {
    const line = exitLine(exit);
    attempt.exit = exit;
    this.append(line);
    return line;
  }

  /** Removes attempts that have ended. Other attempts stay. */
  acknowledge(keys: readonly AttemptKey[]): void {
    for (const key of keys) {
      const name = attemptName(key);
      if (this.attempts.get(name)?.exit === undefined) continue;
      this.attempts.delete(name);
      this.acknowledged += 1;
      this.append(ackLine(key));
    }
    if (this.acknowledged > this.compactAbove && this.acknowledged > this.attempts.size) this.compact();
  }

  /** Removes an attempt that was never started. */
  discard(attempt: AttemptKey): void {
    this.attempts.delete(attemptName(attempt));
    this.append(ackLine(attempt));
  }

  flushOrThrow(): void {
    clearImmediate(this.scheduledFlush);
    this.scheduledFlush = undefined;
    this.writeBuffer();
  }

  /** False if the disk is full. The lines stay in the buffer, and reports are sent nevertheless. */
  flush(): boolean {
    try {
      this.flushOrThrow();
      return true;
    } catch (error) {
      this.log.journalWriteFailed(error);
      return false;
    }
  }

  /** Waits until all lines that were flushed are on disk. After an error of the disk, it logs the error and resolves. */
  sync(): Promise<void> {
    const { descriptor } = this;
    const synced = new Promise<void>((resolve) => {
      fdatasync(descriptor, (error) => {
        if (error !== null) this.log.journalWriteFailed(error);
        resolve();
      });
    });
    this.synced = Promise.all([this.synced, synced]);
    return synced;
  }

  /** Rewrites the file without acknowledged attempts. If that fails, the old file stays valid. */
  compact(): void {
    try {
      const descriptor = this.rewrite();
      const former = this.descriptor;
      void this.synced.then(() => closeSync(former));
      this.descriptor = descriptor;
    } catch (error) {
      this.log.journalWriteFailed(error);
    }
  }

  private get path(): string {
    return join(this.directory, 'journal');
  }

  private append(line: string): void {
    this.buffer.push(line);
    this.scheduledFlush ??= setImmediate(() => this.flush());
  }

  private writeBuffer(): void {
    if (this.buffer.length === 0) return;
    const bytes = Buffer.from(`${this.buffer.join('\n')}\n`);
    this.write(this.descriptor, bytes, this.length);
    this.length += bytes.length;
    this.buffer = [];
  }

  /** Appends all bytes or none, because the next line would continue an incomplete one. */
  private write(descriptor: number, bytes: Buffer, length: number): void {
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(descriptor, bytes, written);
    } catch (error) {
      ftruncateSync(descriptor, length);
      throw error;
    }
  }

  private rewrite(): number {
    const temporary = join(this.directory, 'journal.new');
    const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
    try {
      const lines = [JSON.stringify({ journal: this.id, boot: this.boot })];
      for (const attempt of this.attempts.values()) lines.push(...attemptLines(attempt));
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      this.write(descriptor, bytes, 0);
      fdatasyncSync(descriptor);
      renameSync(temporary, this.path);
      this.length = bytes.length;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    // The new file contains the current state of all attempts, which includes the buffered lines.
    this.buffer = [];
    this.acknowledged = 0;
    return descriptor;
  }
}

/** An end by such a signal that was not reported before the reboot is attributed to the shutdown. */
function afterReboot(exit: Exit): Exit {
  return mayBeShutdown(exit.signal) ? { ...exit, ...SHUT_DOWN_END } : exit;
}
