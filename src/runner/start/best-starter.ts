import type { BegunRecords } from '../journal/begun-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { RunnerLog } from '../log.ts';
import type { Environment } from '../protocol/protocol.ts';
import { ForkServer } from './fork-server.ts';
import { PlainStarter } from './plain-starter.ts';
import { findProgram } from './programs.ts';
import type { Attendant, Starter, StartOrder } from './starter.ts';

export interface StarterOptions {
  /** The runtime directory's, locked. */
  readonly lock: number;
  readonly begun: BegunRecords;
  /** Whose records they are. */
  readonly journal: Journal;
  readonly log: RunnerLog;
}

/** A user's own Python may be on a share, and large. */
const SYSTEM_FIRST = ['/usr/bin', '/bin'];

/** Has a fork server start the attempts, a new one where one was killed; where it does not run, this process does. */
export class BestStarter implements Starter {
  // Looked up once, so that no directory of a job's PATH can put another there.
  private readonly bash = findProgram('bash') ?? '/bin/bash';
  private python = findProgram('python3', SYSTEM_FIRST);
  private readonly plain: PlainStarter;
  private server: ForkServer | undefined;
  private base: Environment = {};
  private limit = Number.POSITIVE_INFINITY;

  constructor(private readonly options: StarterOptions) {
    this.plain = new PlainStarter(this.bash, options.begun, options.log);
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

  start(order: StartOrder, attendant: Attendant): void {
    this.current().start(order, attendant);
  }

  cancel(name: string): void {
    // Who has it not, leaves it alone.
    this.server?.cancel(name);
    this.plain.cancel(name);
  }

  private current(): Starter {
    const { python, bash } = this;
    if (python === undefined) return this.plain;
    if (this.server !== undefined) return this.server;
    try {
      this.server = new ForkServer({ ...this.options, python, bash, onGone: (...gone) => this.gone(...gone) });
    } catch (error) {
      // Out of memory, or of files that may be open: another time there may be some.
      this.options.log.failed('start the fork server', error);
      return this.plain;
    }
    this.server.environment(this.base);
    this.server.slots(this.limit);
    return this.server;
  }

  private gone(unbegun: readonly [StartOrder, Attendant][], wasFit: boolean): void {
    this.server = undefined;
    if (!wasFit) this.python = undefined;
    for (const [order, attendant] of unbegun) this.start(order, attendant);
  }
}
