import type { KillWish } from '../../job/control/kill.ts';
import type { AttemptKey } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd } from '../../queue/exchange/exchange.ts';
import { attemptName } from '../../runner/protocol/messages.ts';
import type { Attempts } from '../attempts.ts';
import type { KillReply, RunnerLink } from '../start/runner-link.ts';

/** The signals of a kill. A job that catches SIGTERM has an exit status of its own. */
const SIGNALS: readonly (string | null)[] = ['SIGTERM', 'SIGKILL'];

/**
 * Why an attempt is killed. `stop`: the feeder of this host ends; `requestedBy` is for the reason of the end. `wish`: a user
 * wants its job to end; the row of the job has the reason. `stale`: its job was claimed again, and its end is not recorded.
 */
type Cause =
  | { readonly kind: 'stop'; readonly requestedBy: string }
  | { readonly kind: 'wish'; readonly wish: KillWish }
  | { readonly kind: 'stale' };

interface Kill {
  readonly key: AttemptKey;
  readonly cause: Cause;
  reply: Promise<KillReply>;
  hasEnded: boolean;
}

/** Kills attempts, and determines whether their ends were caused by that. */
export class Kills {
  private readonly pending = new Map<string, Kill>();

  constructor(
    private readonly link: RunnerLink,
    private readonly settings: { readonly host: string; readonly killGraceMs: number },
    private readonly events: FeederEvents,
  ) {}

  /** Kills all running attempts. One that the runner has not confirmed is left for the next call. */
  killAll({ running, unconfirmed }: Attempts, requestedBy: string): void {
    const targets = [...running].filter(([name]) => !this.pending.has(name) && !unconfirmed.has(name));
    if (targets.length > 0) this.events.killingAll(targets.length);
    for (const [, key] of targets) this.kill(key, { kind: 'stop', requestedBy });
  }

  /** Kills an attempt whose job was claimed again, by another host or by this one. */
  killStale(key: AttemptKey): void {
    if (this.pending.has(attemptName(key))) return;
    this.events.killingStale(key);
    this.kill(key, { kind: 'stale' });
  }

  /** Kills an attempt because a user wants its job to end. A later wish replaces the grace period of an earlier one. */
  killWished(key: AttemptKey, wish: KillWish): void {
    const cause = this.pending.get(attemptName(key))?.cause;
    if (cause?.kind === 'stale' || (cause?.kind === 'wish' && cause.wish.at === wish.at)) return;
    this.events.killing(key, wish.by);
    this.kill(key, { kind: 'wish', wish });
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

  /** Waits for the runner's reply to a pending kill, and marks an end that the kill caused. */
  async resolve(end: AttemptEnd): Promise<AttemptEnd> {
    const kill = this.pending.get(attemptName(end));
    if (kill === undefined) return end;
    kill.hasEnded = true;
    const reply = await kill.reply;
    const isKilled = reply === 'signalled' || (reply === 'unknown' && SIGNALS.includes(end.signal));
    const { cause } = kill;
    if (!isKilled || cause.kind === 'stale') return end;
    if (cause.kind === 'wish') return { ...end, isKilled };
    return { ...end, reason: `killed by ${cause.requestedBy} on ${this.settings.host}`, isStopped: true };
  }

  /** Forgets the kill of an attempt that has ended. */
  remove(key: AttemptKey): void {
    this.pending.delete(attemptName(key));
  }

  private kill(key: AttemptKey, cause: Cause): void {
    const earlier = this.pending.get(attemptName(key))?.reply;
    const later = this.link.kill(key, this.graceMs(cause));
    const reply = earlier === undefined ? later : combined(earlier, later);
    this.pending.set(attemptName(key), { key, cause, reply, hasEnded: false });
  }

  private repeat({ key, cause, reply }: Kill): Promise<KillReply> {
    return combined(reply, this.link.kill(key, this.graceMs(cause)));
  }

  private graceMs(cause: Cause): number {
    return cause.kind === 'wish' ? cause.wish.grace * 1000 : this.settings.killGraceMs;
  }
}

/** The reply to a kill that was sent twice. */
async function combined(first: Promise<KillReply>, second: Promise<KillReply>): Promise<KillReply> {
  const [before, after] = await Promise.all([first, second]);
  return before === 'not-sent' || after === 'signalled' ? after : before;
}
