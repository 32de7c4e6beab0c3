import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { bootId } from '../job/host.ts';
import { Attempts } from './attempts.ts';
import { HostShutdown } from './host-shutdown.ts';
import { Journal } from './journal/journal.ts';
import { readStartRecords } from './journal/start-records.ts';
import type { RunnerLog } from './log.ts';
import { socketPath } from './probe.ts';
import { PROTOCOL_VERSION } from './protocol/messages.ts';
import { RunnerServer } from './server.ts';
import { connectStarter } from './start/launch-starter.ts';
import type { StarterClient } from './start/starter-client.ts';

export interface RunnerOptions {
  readonly directory: string;
  /** The runner exits when it had no connection and no job for this time. */
  readonly idleMs: number;
  readonly version: string;
  readonly clock: Clock;
  readonly log: RunnerLog;
  readonly onStopped: () => void;
  /** The connection to the starter is lost. The process must exit: the next runner learns the state of all attempts. */
  readonly onStarterLost: () => void;
}

/** The runner of a directory whose lock this process holds. */
export class Runner {
  private readonly attempts: Attempts;
  private readonly server: RunnerServer;
  private idleTimer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private wasTerminated = false;
  private readonly shutdown: HostShutdown;

  private constructor(
    private readonly options: RunnerOptions,
    private readonly journal: Journal,
    private readonly starter: StarterClient,
    boot: string,
  ) {
    const { clock, log, version } = options;
    this.shutdown = new HostShutdown(clock);
    this.attempts = new Attempts({
      ...options,
      journal,
      starter,
      shutdown: this.shutdown,
      onExits: (lines) => this.server.sendExits(lines),
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

  /** Connects to the starter, adopts the attempts of an earlier runner, and listens. */
  static async start(options: RunnerOptions): Promise<Runner> {
    const { directory, log } = options;
    const boot = bootId();
    const journal = new Journal(directory, boot, log);
    // Before the connection to the starter: attempts that begin until then are in its list.
    const records = readStartRecords(join(directory, 'begun'), journal.previousId);
    const starter = await connectStarter(directory, (cause) => {
      journal.flush();
      log.starterLost(cause);
      options.onStarterLost();
    });
    const runner = new Runner(options, journal, starter, boot);
    await runner.attempts.adopt(records);
    await runner.listen();
    return runner;
  }

  /** After SIGTERM, the runner exits as soon as it has no job. Until then, it is the only one to see how they end. */
  onSignal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGINT') this.shutdown.noteSignal();
    if (signal === 'SIGTERM') this.wasTerminated = true;
    if (signal === 'SIGTERM' && this.attempts.isIdle) this.stop(signal);
    else this.options.log.signalIgnored(signal, this.attempts.runningCount);
  }

  private async listen(): Promise<void> {
    await this.server.listen(socketPath(this.options.directory));
    writeFileSync(this.pidFile, `${process.pid}\n`, { mode: 0o600 });
    this.options.log.listening(this.journal.id, this.journal.attempts.size);
    this.stopIfUnused();
  }

  /** Ends the runner at once after a shutdown request, else after the idle time. */
  private stopIfUnused(): void {
    const hasRequest = this.server.isShuttingDown || (this.wasTerminated && this.server.connectionCount === 0);
    if (hasRequest && this.attempts.isIdle) this.stop('shutdown');
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
    this.attempts.acknowledgeEnds();
    await this.starter.close();
    rmSync(this.pidFile, { force: true });
    rmSync(socketPath(this.options.directory), { force: true });
  }

  private get pidFile(): string {
    return join(this.options.directory, 'runner.pid');
  }
}
