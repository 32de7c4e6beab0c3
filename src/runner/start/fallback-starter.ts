import type { Journal } from '../journal/journal.ts';
import type { StartRecords } from '../journal/start-records.ts';
import type { RunnerLog } from '../log.ts';
import type { Environment } from '../protocol/fields.ts';
import { ForkServer } from './fork-server.ts';
import { PlainStarter } from './plain-starter.ts';
import { findProgram } from './programs.ts';
import type { Starter, StartObserver, StartRequest } from './starter.ts';

export interface StarterOptions {
  /** The descriptor that holds the lock of the runtime directory. */
  readonly lock: number;
  readonly startRecords: StartRecords;
  readonly journal: Journal;
  readonly log: RunnerLog;
}

/** A Python that the user installed may be large and on a share. */
const PREFERRED_DIRECTORIES = ['/usr/bin', '/bin'];

/** Starts attempts with a fork server, and replaces one that was killed. Without Python, this process forks them. */
export class FallbackStarter implements Starter {
  // Searched once, so that a later change of a directory in PATH has no effect.
  private readonly bash = findProgram('bash') ?? '/bin/bash';
  private python = findProgram('python3', PREFERRED_DIRECTORIES);
  private readonly plain: PlainStarter;
  private server: ForkServer | undefined;
  private base: Environment = {};
  private limit = Number.POSITIVE_INFINITY;

  constructor(private readonly options: StarterOptions) {
    this.plain = new PlainStarter(this.bash, options.startRecords, options.log);
  }

  environment(base: Environment): void {
    this.base = base;
    this.plain.environment(base);
    if (this.server === undefined) this.current();
    else this.server.environment(base);
  }

  slots(slots: number): void {
    this.limit = slots;
    this.plain.slots(slots);
    this.server?.slots(slots);
  }

  start(request: StartRequest, observer: StartObserver): void {
    this.current().start(request, observer);
  }

  cancel(name: string): void {
    // A starter ignores a name that it does not have.
    this.server?.cancel(name);
    this.plain.cancel(name);
  }

  private current(): Starter {
    const { python, bash } = this;
    if (python === undefined) return this.plain;
    if (this.server !== undefined) return this.server;
    try {
      this.server = new ForkServer({ ...this.options, python, bash, onEnd: (...end) => this.serverEnded(...end) });
    } catch (error) {
      // A shortage of memory or of file descriptors may be temporary.
      this.options.log.failed('start the fork server', error);
      return this.plain;
    }
    this.server.environment(this.base);
    this.server.slots(this.limit);
    return this.server;
  }

  private serverEnded(notBegun: readonly [StartRequest, StartObserver][], wasReady: boolean): void {
    this.server = undefined;
    if (!wasReady) this.python = undefined;
    for (const [request, observer] of notBegun) this.start(request, observer);
  }
}
