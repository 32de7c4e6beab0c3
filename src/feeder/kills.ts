import type { FeederEvents } from '../log/events.ts';
import type { AttemptEnd } from '../queue/exchange.ts';
import { type Attempts, nameOf } from './attempts.ts';
import type { RunnerLink } from './runner-link.ts';

/** What ends what is killed; a job that catches the first has an end of its own. */
const SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGKILL'];

/** The attempts that a feeder was told to kill, each asked to end once, and which of them that came too late for. */
export class Kills {
  /** True if it was there to be asked; where that is not known, how it ended tells. */
  private readonly asked = new Map<string, Promise<boolean>>();
  private by = '';

  constructor(
    private readonly link: RunnerLink,
    private readonly host: string,
    private readonly events: FeederEvents,
  ) {}

  /** Has all end that run. One of which the runner has not said that it began is left for the next time. */
  killAll({ running, given }: Attempts, by: string): void {
    this.by = by;
    const alive = [...running].filter(([name]) => !this.asked.has(name) && !given.has(name));
    if (alive.length > 0) this.events.killing(alive.length);
    for (const [name, key] of alive) this.asked.set(name, this.link.kill(key));
  }

  /** Tells, perhaps later, what is to be said of an end: that it was killed, unless it had come to its own end before. */
  judge(end: AttemptEnd, tell: (end: AttemptEnd) => void): void {
    const wasThere = this.asked.get(nameOf(end));
    const killed = { ...end, reason: `killed by ${this.by} on ${this.host}`, isLost: true };
    if (wasThere === undefined) tell(end);
    else void wasThere.then((isKilled) => tell(isKilled || SIGNALS.includes(end.signal) ? killed : end));
  }
}
