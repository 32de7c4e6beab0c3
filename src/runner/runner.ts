import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { bootId } from '../job/host.ts';
import { Attempts } from './attempts.ts';
import { Journal } from './journal/journal.ts';
import { StartRecords } from './journal/start-records.ts';
import type { RunnerLog } from './log.ts';
import { PROTOCOL_VERSION } from './protocol/messages.ts';
import { RunnerServer } from './server.ts';
import { FallbackStarter } from './start/fallback-starter.ts';

export interface RunnerOptions {
  readonly directory: string;
  /** The descriptor that holds the lock of the directory. The fork server inherits it. */
  readonly lock: number;
  /** The runner exits when it had no connection and no job for this time. */
  readonly idleMs: number;
  readonly version: string;
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly onStopped: () => void;
}

/** The runner of a directory whose lock this process holds. */
export class Runner {
  private readonly journal: Journal;
  private readonly attempts: Attempts;
  private readonly server: RunnerServer;
  private idleTimer: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(private readonly options: RunnerOptions) {
    const { directory, lock, clock, log, version } = options;
    const boot = bootId();
    this.journal = new Journal(directory, boot, log);
    const { journal } = this;
    const startRecords = new StartRecords(this.path('begun'));
    this.attempts = new Attempts({
      directory,
      journal,
      clock,
      log,
      starter: new FallbackStarter({ lock, startRecords, journal, log }),
      startRecords,
      onExits: (exits) => this.server.sendExits(exits),
      onIdle: () => this.stopIfUnused(),
    });
    this.server = new RunnerServer({
      hello: { type: 'hello', protocol: PROTOCOL_VERSION, version, pid: process.pid, journal: journal.id, boot },
      attempts: this.attempts,
      journal,
      log,
      monotonicMs: clock.monotonicMs,
      onConnectionsChanged: () => this.stopIfUnused(),
      // The reply to the request must be sent first.
      onShutdown: () => setImmediate(() => this.stopIfUnused()),
    });
  }

  async start(): Promise<void> {
    this.attempts.adopt();
    await this.server.listen(this.path('runner.sock'));
    writeFileSync(this.path('runner.pid'), `${process.pid}\n`, { mode: 0o600 });
    this.options.log.listening(this.journal.id, this.journal.attempts.size);
    this.stopIfUnused();
  }

  /** Only SIGTERM ends the runner, and only while it has no jobs: the exit statuses of running jobs would be lost. */
  onSignal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM' && this.attempts.isIdle) this.stop(signal);
    else this.options.log.signalIgnored(signal, this.attempts.runningCount);
  }

  /** Ends the runner at once after a shutdown request, else after the idle time. */
  private stopIfUnused(): void {
    if (this.server.isShuttingDown && this.attempts.isIdle) this.stop('shutdown');
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
    if (this.isStopping || !this.isUnused()) return;
    this.idleTimer = setTimeout(() => {
      if (this.isUnused()) this.stop('idle');
    }, this.options.idleMs);
  }

  private isUnused(): boolean {
    return this.attempts.isIdle && this.server.connectionCount === 0;
  }

  private stop(cause: string): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.options.log.stopping(cause);
    this.close()
      .catch((error: unknown) => this.options.log.failed('stop', error))
      .finally(this.options.onStopped);
  }

  private async close(): Promise<void> {
    await this.server.close();
    this.journal.compact();
    rmSync(this.path('runner.pid'), { force: true });
    rmSync(this.path('runner.sock'), { force: true });
  }

  private path(name: string): string {
    return join(this.options.directory, name);
  }
}
