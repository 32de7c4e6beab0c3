import { writeSync } from 'node:fs';
import { errorMessage } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import { keyOf } from './protocol/messages.ts';

/** The log events of the runner, with all of their wording. Each is one JSON object on a line of runner.log. */
export class RunnerLog {
  constructor(
    private readonly now: () => string,
    private readonly descriptor = 1,
  ) {}

  listening = (journal: string, attempts: number): void => this.write('listening', { journal, attempts });
  anotherRunner = (pid: number): void => this.write('another_runner_running', { pid });
  stopping = (cause: string): void => this.write('stopping', { cause });
  signalIgnored = (signal: string, running: number): void => this.write('signal_ignored', { signal, running });
  clientConnected = (): void => this.write('client_connected');
  clientDisconnected = (): void => this.write('client_disconnected');
  clientRefused = (code: string, message: string): void => this.write('client_refused', { code, message });
  /** Only its exits are kept. */
  journalOfEarlierBoot = (boot: string): void => this.write('journal_of_earlier_boot', { boot });
  journalDamaged = (lines: number): void => this.write('journal_damaged', { lines });
  journalWriteFailed = (error: unknown): void => this.write('journal_write_failed', { error: errorMessage(error) });
  attemptAdopted = (key: AttemptKey, pid: number): void => this.write('attempt_adopted', { ...keyOf(key), pid });
  attemptLost = (key: AttemptKey): void => this.write('attempt_lost', keyOf(key));
  attemptRecovered = (key: AttemptKey): void => this.write('attempt_recovered', keyOf(key));
  limitExceeded = (key: AttemptKey, reason: string): void => this.write('limit_exceeded', { ...keyOf(key), reason });
  /** The runner then exits. The next runner connects again and adopts the jobs. */
  starterLost = (cause: string): void => this.write('starter_lost', { cause });
  /** `action` completes the sentence "failed to …". */
  failed = (action: string, error: unknown): void => this.write('failed', { action, error: errorMessage(error) });

  private write(event: string, facts: object = {}): void {
    const line = JSON.stringify({ time: this.now(), event, pid: process.pid, ...facts });
    try {
      writeSync(this.descriptor, `${line}\n`);
    } catch {
      // The runner must survive a full disk, because only it receives the exit statuses of its jobs.
    }
  }
}
