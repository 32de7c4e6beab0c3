import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { bootId } from '../job/host.ts';
import { Jobs } from './jobs.ts';
import { BegunRecords } from './journal/begun-records.ts';
import { Journal } from './journal/journal.ts';
import type { RunnerLog } from './log.ts';
import { PROTOCOL_VERSION } from './protocol/protocol.ts';
import { RunnerServer } from './server.ts';
import { BestStarter } from './start/best-starter.ts';

export interface RunnerOptions {
  readonly directory: string;
  /** The directory's; whoever may yet become a job has it too. */
  readonly lock: number;
  /** Exits when nobody was connected and nothing ran for so long, in milliseconds. */
  readonly idleMs: number;
  readonly version: string;
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly onStopped: () => void;
}

/** One runner's life, in a directory whose lock is held: adopt, listen, and stop when there is nothing left to do. */
export class Runner {
  private readonly journal: Journal;
  private readonly jobs: Jobs;
  private readonly server: RunnerServer;
  private idle: NodeJS.Timeout | undefined;
  private isShuttingDown = false;
  private isStopping = false;

  constructor(private readonly options: RunnerOptions) {
    const { directory, lock, clock, log, version } = options;
    const boot = bootId();
    this.journal = new Journal(directory, boot, log);
    const { journal } = this;
    const begun = new BegunRecords(this.path('begun'));
    this.jobs = new Jobs({
      directory,
      journal,
      clock,
      log,
      starter: new BestStarter({ lock, begun, journal, log }),
      begun,
      onExits: (exits) => this.server.sendExits(exits),
      onQuiet: () => this.rest(),
    });
    this.server = new RunnerServer({
      hello: { type: 'hello', protocol: PROTOCOL_VERSION, version, pid: process.pid, journal: journal.id, boot },
      jobs: this.jobs,
      journal,
      log,
      monotonicMs: clock.monotonicMs,
      onConnections: () => this.rest(),
      onClient: () => {
        this.isShuttingDown = false;
      },
      onShutdown: () => {
        this.isShuttingDown = true;
        setImmediate(() => this.rest());
      },
    });
  }

  async start(): Promise<void> {
    this.jobs.adopt();
    await this.server.listen(this.path('runner.sock'));
    writeFileSync(this.path('runner.pid'), `${process.pid}\n`, { mode: 0o600 });
    this.options.log.listening(this.journal.id, this.journal.attempts.size);
    this.rest();
  }

  /** A signal by which people end daemons: obeyed only where no job would lose its witness. */
  onSignal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM' && this.jobs.isQuiet) this.stop(signal);
    else this.options.log.signalIgnored(signal, this.jobs.runningCount);
  }

  /** Decides whether there is a reason to live, each time that one came or went. */
  private rest(): void {
    if (this.isShuttingDown && this.jobs.isQuiet) this.stop('shutdown');
    clearTimeout(this.idle);
    this.idle = undefined;
    if (this.isStopping || !this.isIdle()) return;
    this.idle = setTimeout(() => {
      if (this.isIdle()) this.stop('idle');
    }, this.options.idleMs);
  }

  private isIdle(): boolean {
    return this.jobs.isQuiet && this.server.connectionCount === 0;
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
