import { ForkServer } from './fork-server.ts';
import type { RunnerLog } from './log.ts';
import { PlainStarter } from './plain-starter.ts';
import { findProgram } from './programs.ts';
import type { Environment } from './protocol.ts';
import type { Attendant, Starter, StartOrder } from './starter.ts';

export interface StarterOptions {
  /** The runtime directory's, locked. */
  readonly lock: number;
  readonly log: RunnerLog;
}

/** Has a fork server start the attempts, a new one where one was killed; where it does not run, this process does. */
export class BestStarter implements Starter {
  // Looked up once, so that no directory of a job's PATH can put another there.
  private readonly bash = findProgram('bash') ?? '/bin/bash';
  private perl = findProgram('perl');
  private readonly plain: PlainStarter;
  private server: ForkServer | undefined;
  private base: Environment = {};

  constructor(private readonly options: StarterOptions) {
    this.plain = new PlainStarter(this.bash, options.log);
  }

  environment(base: Environment): void {
    this.base = base;
    this.plain.environment(base);
    if (this.server === undefined) this.current();
    else this.server.environment(base);
  }

  start(order: StartOrder, attendant: Attendant): void {
    this.current().start(order, attendant);
  }

  private current(): Pick<Starter, 'start'> {
    const { perl, bash } = this;
    if (perl === undefined) return this.plain;
    if (this.server !== undefined) return this.server;
    this.server = new ForkServer({ ...this.options, perl, bash, onGone: (...gone) => this.gone(...gone) });
    this.server.environment(this.base);
    return this.server;
  }

  private gone(unbegun: readonly [StartOrder, Attendant][], wasFit: boolean): void {
    this.server = undefined;
    if (wasFit) return;
    this.perl = undefined;
    for (const [order, attendant] of unbegun) this.plain.start(order, attendant);
  }
}
