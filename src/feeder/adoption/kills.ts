import type { AttemptKey } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd } from '../../queue/exchange/exchange.ts';
import { attemptName } from '../../runner/protocol/messages.ts';
import type { Attempts } from '../attempts.ts';
import type { KillReply, RunnerLink } from '../start/runner-link.ts';

/** The signals of a kill. A job that catches SIGTERM has an exit status of its own. */
const SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGKILL'];

interface Kill {
  readonly key: AttemptKey;
  /** Who requested the kill, for the reason of the end. Undefined for a stale attempt, whose end is not recorded. */
  readonly requestedBy: string | undefined;
  reply: Promise<KillReply>;
  hasEnded: boolean;
}

/** Kills attempts, and determines whether their ends were caused by that. */
export class Kills {
  private readonly pending = new Map<string, Kill>();

  constructor(
    private readonly link: RunnerLink,
    private readonly host: string,
    private readonly events: FeederEvents,
  ) {}

  /** Kills all running attempts. One that the runner has not confirmed is left for the next call. */
  killAll({ running, unconfirmed }: Attempts, requestedBy: string): void {
    const targets = [...running].filter(([name]) => !this.pending.has(name) && !unconfirmed.has(name));
    if (targets.length > 0) this.events.killingAll(targets.length);
    for (const [, key] of targets) this.kill(key, requestedBy);
  }

  /** Kills an attempt whose job was claimed again, by another host or by this one. */
  killStale(key: AttemptKey): void {
    if (this.pending.has(attemptName(key))) return;
    this.events.killingStale(key);
    this.kill(key, undefined);
  }

  /**
   * Sends all pending kills again after the feeder has reconnected: a starter that was killed has forgotten the grace
   * period, and the runner may not have received the request. Drops kills of attempts that no longer run.
   */
  resend({ running }: Attempts): void {
    for (const [name, kill] of this.pending) {
      if (!running.has(name)) this.pending.delete(name);
      else if (!kill.hasEnded) kill.reply = this.repeat(kill);
    }
  }

  isPending(key: AttemptKey): boolean {
    return this.pending.has(attemptName(key));
  }

  /** Waits for the runner's reply to a pending kill, and adds the reason to an end that the kill caused. */
  async resolve(end: AttemptEnd): Promise<AttemptEnd> {
    const kill = this.pending.get(attemptName(end));
    if (kill === undefined) return end;
    kill.hasEnded = true;
    const reply = await kill.reply;
    const isKilled = reply === 'signalled' || (reply === 'unknown' && SIGNALS.includes(end.signal));
    if (!isKilled || kill.requestedBy === undefined) return end;
    return { ...end, reason: `killed by ${kill.requestedBy} on ${this.host}`, isStopped: true };
  }

  /** Forgets the kill of an attempt that has ended. */
  remove(key: AttemptKey): void {
    this.pending.delete(attemptName(key));
  }

  private kill(key: AttemptKey, requestedBy: string | undefined): void {
    this.pending.set(attemptName(key), { key, requestedBy, reply: this.link.kill(key), hasEnded: false });
  }

  private async repeat({ key, reply }: Kill): Promise<KillReply> {
    const [first, second] = await Promise.all([reply, this.link.kill(key)]);
    return first === 'not-sent' || second === 'signalled' ? second : first;
  }
}
