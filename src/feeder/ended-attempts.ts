import { crashAt } from '../job/crash-points.ts';
import type { FeederEvents } from '../log/events.ts';
import type { AttemptEnd } from '../queue/exchange/exchange.ts';
import { attemptName } from '../runner/protocol/messages.ts';
import type { Attempts } from './attempts.ts';
import type { JobControl } from './control/job-control.ts';
import type { Kills } from './control/kills.ts';
import type { PollTimer } from './poll-timer.ts';
import type { JobLauncher } from './start/job-launcher.ts';

/** Records the ends of attempts for the next exchange, and lets the next jobs start. */
export class EndedAttempts {
  /** The number of attempts that have ended while this feeder ran. */
  count = 0;

  constructor(
    private readonly parts: {
      attempts: Attempts;
      control: JobControl;
      events: FeederEvents;
      kills: Kills;
      launcher: JobLauncher;
      timer: PollTimer;
    },
  ) {}

  /** Records an end, after the reply to a pending kill states whether the kill caused it. */
  record(end: AttemptEnd): void {
    const { kills } = this.parts;
    if (!kills.isPending(end)) this.add(end);
    else void kills.resolve(end).then((resolved) => this.add(resolved));
  }

  private add(end: AttemptEnd): void {
    const { attempts, control, events, kills, launcher, timer } = this.parts;
    kills.remove(end);
    control.remove(end);
    if (!attempts.running.has(attemptName(end))) return;
    crashAt('end-received');
    if (end.not_started) {
      events.jobNotStarted(end, end.reason ?? '');
    } else {
      this.count += 1;
      events.jobEnded(end);
    }
    // Earlier results have woken the feeder already, and accumulate until the exchange is due.
    const isFirst = !attempts.hasResults;
    attempts.end(end);
    launcher.recordEnd(end);
    launcher.startClaimed();
    if (isFirst || !attempts.hasUnstarted) timer.wake();
  }
}
