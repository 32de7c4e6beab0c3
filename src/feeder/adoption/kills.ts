import type { AttemptKey } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd } from '../../queue/exchange/exchange.ts';
import { type Attempts, nameOf } from '../attempts.ts';
import type { KillAnswer, RunnerLink } from '../start/runner-link.ts';

/** What ends what is killed; a job that catches the first has an end of its own. */
const SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGKILL'];

interface Kill {
  readonly key: AttemptKey;
  /** Who wanted it, for the reason of the end; undefined where the job went to another, and no reason is recorded. */
  readonly by: string | undefined;
  answer: Promise<KillAnswer>;
  hasEnded: boolean;
}

/** The attempts that are to end: each is asked until it has, and its end says whether that was a kill's. */
export class Kills {
  private readonly kills = new Map<string, Kill>();

  constructor(
    private readonly link: RunnerLink,
    private readonly host: string,
    private readonly events: FeederEvents,
  ) {}

  /** Has all end that run. One of which the runner has not said that it began is left for the next time. */
  killAll({ running, given }: Attempts, by: string): void {
    const alive = [...running].filter(([name]) => !this.kills.has(name) && !given.has(name));
    if (alive.length > 0) this.events.killing(alive.length);
    for (const [, key] of alive) this.kill(key, by);
  }

  /** Has one end whose job went to another, or is to have a new attempt here. */
  killStale(key: AttemptKey): void {
    if (this.kills.has(nameOf(key))) return;
    this.events.killedStale(key);
    this.kill(key, undefined);
  }

  /**
   * The link to the runner was made anew: all are asked again. A runner that was killed took the grace time along; one
   * that was not has perhaps never been asked. Of what does not run here any more there is no end to come.
   */
  again({ running }: Attempts): void {
    for (const [name, kill] of this.kills) {
      if (!running.has(name)) this.kills.delete(name);
      else if (!kill.hasEnded) kill.answer = this.askAgain(kill);
    }
  }

  /** Tells, perhaps later, what is to be said of an end: that it was killed, unless it came to its own end before. */
  judge(end: AttemptEnd, tell: (end: AttemptEnd) => void): void {
    const kill = this.kills.get(nameOf(end));
    if (kill === undefined) {
      tell(end);
      return;
    }
    kill.hasEnded = true;
    void kill.answer.then((answer) => {
      this.kills.delete(nameOf(end));
      const isKilled = answer === 'reached' || (answer === 'unknown' && SIGNALS.includes(end.signal));
      const reason = `killed by ${kill.by} on ${this.host}`;
      tell(isKilled && kill.by !== undefined ? { ...end, reason, isLost: true } : end);
    });
  }

  private kill(key: AttemptKey, by: string | undefined): void {
    this.kills.set(nameOf(key), { key, by, answer: this.link.kill(key), hasEnded: false });
  }

  private async askAgain({ key, answer }: Kill): Promise<KillAnswer> {
    const [before, now] = await Promise.all([answer, this.link.kill(key)]);
    return before === 'unsent' || now === 'reached' ? now : before;
  }
}
