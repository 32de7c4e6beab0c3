import type { FeederEvents } from '../log/events.ts';
import type { AttemptEnd } from '../queue/exchange.ts';
import { type Attempts, nameOf } from './attempts.ts';
import type { RunnerLink } from './runner-link.ts';

/** What ends what is killed; a job that catches the first has an end of its own. */
const SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGKILL'];

/** The attempts that a feeder was told to kill, each asked to end, and which of them that came too late for. */
export class Kills {
  private readonly asked = new Set<string>();
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
    for (const [name, key] of alive) {
      this.asked.add(name);
      this.link.kill(key);
    }
  }

  /** Tells, perhaps later, what is to be said of an end: that it was killed, unless it came to its own end before. */
  judge(end: AttemptEnd, tell: (end: AttemptEnd) => void): void {
    const answer = this.asked.has(nameOf(end)) ? this.link.killAnswer(end) : undefined;
    if (answer === undefined) {
      this.link.forget(end);
      tell(end);
      return;
    }
    void answer.then((known) => {
      this.link.forget(end);
      const isKilled = known === 'reached' || (known === 'unknown' && SIGNALS.includes(end.signal));
      tell(isKilled ? { ...end, reason: `killed by ${this.by} on ${this.host}`, isLost: true } : end);
    });
  }
}
