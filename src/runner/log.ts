import { writeSync } from 'node:fs';
import { errorMessage } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';

/** All that the runner ever tells, one JSON object a line, by name; for people who look into runner.log. */
export class RunnerLog {
  constructor(
    private readonly now: () => string,
    private readonly descriptor = 1,
  ) {}

  listening = (journal: string, attempts: number): void => this.write('listening', { journal, attempts });
  anotherRunner = (pid: number): void => this.write('another_runner_is_there', { pid });
  stopping = (cause: string): void => this.write('stopping', { cause });
  signalIgnored = (signal: string, running: number): void => this.write('signal_ignored', { signal, running });
  clientConnected = (): void => this.write('client_connected');
  clientGone = (): void => this.write('client_gone');
  clientRefused = (code: string, message: string): void => this.write('client_refused', { code, message });
  journalOfEarlierBoot = (boot: string): void => this.write('journal_of_earlier_boot_discarded', { boot });
  journalDamaged = (lines: number): void => this.write('journal_damaged', { lines });
  journalFailed = (error: unknown): void => this.write('journal_not_written', { error: errorMessage(error) });
  adopted = (key: AttemptKey, pid: number): void => this.write('adopted', { ...keyOf(key), pid });
  lost = (key: AttemptKey): void => this.write('ended_unobserved', { ...keyOf(key) });
  forkServerGone = (attempts: number): void => this.write('fork_server_gone', { attempts });
  killedGroup = (key: AttemptKey, pid: number): void => this.write('killed_after_grace', { ...keyOf(key), pid });
  failed = (what: string, error: unknown): void => this.write('failed', { what, error: errorMessage(error) });

  private write(event: string, facts: Record<string, unknown> = {}): void {
    const line = JSON.stringify({ time: this.now(), event, pid: process.pid, ...facts });
    try {
      writeSync(this.descriptor, `${line}\n`);
    } catch {
      // A full disk must not end the jobs' only witness, and there is nowhere else to tell it.
    }
  }
}

function keyOf({ jid, attempt }: AttemptKey): AttemptKey {
  return { jid, attempt };
}
