import { randomUUID } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../job/errors.ts';
import type { AttemptKey } from '../../job/job.ts';
import type { RunnerLog } from '../log.ts';
import { attemptName, type Exit, RequestError } from '../protocol/protocol.ts';
import {
  ackLine,
  attemptLines,
  exitLine,
  type JournaledAttempt,
  readJournal,
  spawnLine,
  startedLine,
} from './journal-entries.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

/**
 * The attempts that were started and are not acknowledged, in memory and in the file `journal`. Only who holds the
 * lock of the directory may have one. Lines are gathered and written in one piece, before the next fork or report.
 */
export class Journal {
  readonly id: string;
  /** The id in the environment of attempts that an earlier runner started; another than `id` after damage. */
  readonly previousId: string | undefined;
  readonly attempts: Map<string, JournaledAttempt>;
  private descriptor: number;
  private length = 0;
  private waiting: string[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private acknowledged = 0;

  constructor(
    private readonly directory: string,
    private readonly boot: string,
    private readonly log: RunnerLog,
    private readonly compactAbove = 1000,
  ) {
    const found = readJournal(this.path);
    const known = found?.boot === boot ? found : undefined;
    if (found !== undefined && known === undefined) log.journalOfEarlierBoot(found.boot);
    if (known !== undefined && known.damagedLines > 0) log.journalDamaged(known.damagedLines);
    this.previousId = known?.id;
    this.id = known === undefined || known.damagedLines > 0 ? randomUUID() : known.id;
    this.attempts = known?.attempts ?? new Map();
    this.descriptor = this.rewrite();
  }

  /** Writes that an attempt is about to be started. Throws RequestError JOURNAL; nothing is journaled then. */
  spawn(attempt: JournaledAttempt): void {
    this.waiting.push(spawnLine(attempt));
    try {
      this.flush();
    } catch (error) {
      this.waiting.pop();
      throw new RequestError('JOURNAL', `cannot write the journal ${this.path}: ${errorMessage(error)}`, error);
    }
    this.attempts.set(attemptName(attempt), attempt);
  }

  /** Notes an attempt that ends before it could be started; its exit must follow at once. */
  refused(attempt: JournaledAttempt): void {
    this.attempts.set(attemptName(attempt), attempt);
    this.note(spawnLine(attempt));
  }

  started(attempt: JournaledAttempt, process: { pid: number; start_time: number | null }): void {
    attempt.process = process;
    this.note(startedLine(attempt, process));
  }

  exited(attempt: JournaledAttempt, exit: Exit): void {
    attempt.exit = exit;
    this.note(exitLine(exit));
  }

  /** Forgets attempts that have ended; others are left as they are. */
  acknowledge(keys: readonly AttemptKey[]): void {
    for (const key of keys) {
      const name = attemptName(key);
      if (this.attempts.get(name)?.exit === undefined) continue;
      this.attempts.delete(name);
      this.acknowledged += 1;
      this.note(ackLine(key));
    }
    if (this.acknowledged > this.compactAbove && this.acknowledged > this.attempts.size) this.compact();
  }

  /** As if the attempt had never been spawned: it was not begun with. */
  forget(attempt: AttemptKey): void {
    this.attempts.delete(attemptName(attempt));
    this.note(ackLine(attempt));
  }

  /** Writes what waits. Throws what the disk says. */
  settleOrThrow(): void {
    clearImmediate(this.flushing);
    this.flushing = undefined;
    this.flush();
  }

  /** Writes what waits, as far as the disk allows: a report is not held back because /tmp is full. False if it is. */
  settle(): boolean {
    try {
      this.settleOrThrow();
      return true;
    } catch (error) {
      this.log.journalFailed(error);
      return false;
    }
  }

  /** Rewrites it without the acknowledged; where that fails the long one stays good. */
  compact(): void {
    try {
      const descriptor = this.rewrite();
      closeSync(this.descriptor);
      this.descriptor = descriptor;
    } catch (error) {
      this.log.journalFailed(error);
    }
  }

  private get path(): string {
    return join(this.directory, 'journal');
  }

  private note(line: string): void {
    this.waiting.push(line);
    this.flushing ??= setImmediate(() => this.settle());
  }

  private flush(): void {
    if (this.waiting.length === 0) return;
    const bytes = Buffer.from(`${this.waiting.join('\n')}\n`);
    this.write(this.descriptor, bytes, this.length);
    this.length += bytes.length;
    this.waiting = [];
  }

  /** Appends all or nothing: half a line would spoil the next one too. */
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
      renameSync(temporary, this.path);
      this.length = bytes.length;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    // All that waits is about attempts that were just written as they are now, or are gone.
    this.waiting = [];
    this.acknowledged = 0;
    return descriptor;
  }
}
