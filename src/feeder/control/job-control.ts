import type { AttemptKey, ClaimedJob } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { Control, Order, Wish } from '../../queue/exchange/control.ts';
import { attemptName, type ListedAttempt } from '../../runner/protocol/messages.ts';
import type { Attempts } from '../attempts.ts';
import type { PollTimer } from '../poll-timer.ts';
import type { RunnerLink } from '../start/runner-link.ts';
import type { ClaimRules } from './claim-rules.ts';
import type { Kills } from './kills.ts';

/** Carries out the wishes and orders of users for the attempts of this host. */
export class JobControl {
  /** The ids of orders that were delivered and are still in the queue. */
  private delivered: number[] = [];
  private readonly sent = new Set<number>();
  private wishes: readonly Wish[] = [];
  /** The attempts that the runner was told to pause. */
  private readonly paused = new Map<string, AttemptKey>();

  constructor(
    private readonly parts: {
      attempts: Attempts;
      claimRules: ClaimRules;
      events: FeederEvents;
      kills: Kills;
      link: RunnerLink;
      timer: PollTimer;
    },
  ) {}

  /** Takes over what was read from the queue, and carries it out. */
  apply(control: Control | undefined): void {
    if (control === undefined) return;
    this.applyRules(control);
    this.wishes = control.wishes;
    this.carryOut();
    for (const order of control.orders) void this.deliver(order);
  }

  /** A claimed job may have a wish from an earlier attempt. */
  noteClaims(jobs: readonly ClaimedJob[]): void {
    const paused = jobs.filter((job) => job.paused === true);
    if (paused.length === 0) return;
    this.wishes = [...this.wishes, ...paused.map(({ jid, claim }) => ({ jid, claim, paused: true, kill: undefined }))];
  }

  /** Carries out the wishes for an attempt that has just started or was adopted. */
  onRunning(): void {
    if (this.wishes.length > 0 || this.paused.size > 0) this.carryOut();
  }

  /** Takes over which attempts the runner lists as paused, after the feeder has connected to it. */
  notePauses(listed: readonly ListedAttempt[]): void {
    this.paused.clear();
    for (const attempt of listed) {
      if (attempt.state === 'running' && attempt.isPaused) this.paused.set(attemptName(attempt), attempt);
    }
    // A new feeder has not read the wishes yet.
    if (this.parts.claimRules.known !== undefined) this.onRunning();
  }

  remove(key: AttemptKey): void {
    this.paused.delete(attemptName(key));
  }

  get hasDelivered(): boolean {
    return this.delivered.length > 0;
  }

  /** Takes out the ids of delivered orders for an exchange. \`restoreDelivered\` puts them back if the exchange fails. */
  takeDelivered(): number[] {
    return this.delivered.splice(0);
  }

  restoreDelivered(ids: readonly number[]): void {
    this.delivered.unshift(...ids);
  }

  /** Forgets orders that are no longer in the queue. */
  forgetDelivered(ids: readonly number[]): void {
    for (const id of ids) this.sent.delete(id);
  }

  /** A host that is no longer drained looks for jobs at once. */
  private applyRules(control: Control): void {
    const { claimRules, timer } = this.parts;
    const wasDrained = claimRules.isDrained;
    claimRules.apply(control);
    if (claimRules.isDrained !== wasDrained) timer.wake();
  }

  private carryOut(): void {
    const { attempts, kills, timer } = this.parts;
    const wanted = new Set<string>();
    for (const wish of this.wishes) {
      const name = attemptName(wish);
      if (wish.kill !== undefined) {
        if (attempts.releaseUnsent(wish)) timer.wake();
        else if (attempts.running.has(name)) kills.killWished(wish, wish.kill);
      }
      if (wish.paused && wish.kill === undefined) wanted.add(name);
    }
    this.pauseAndResume(wanted);
  }

  /** A killed attempt continues: the kill sends SIGCONT. */
  private pauseAndResume(wanted: ReadonlySet<string>): void {
    const { attempts, events, kills, link } = this.parts;
    for (const name of wanted) {
      const key = attempts.running.get(name);
      if (key === undefined || this.paused.has(name) || attempts.unconfirmed.has(name)) continue;
      this.paused.set(name, key);
      events.pausing(key);
      link.pause(key);
    }
    for (const [name, key] of this.paused) {
      if (wanted.has(name)) continue;
      this.paused.delete(name);
      if (!attempts.running.has(name) || kills.isPending(key)) continue;
      events.resuming(key);
      link.resume(key);
    }
  }

  private async deliver({ id, jid, claim, signal }: Order): Promise<void> {
    if (this.sent.has(id)) return;
    const key = { jid, claim };
    if (this.parts.attempts.unconfirmed.has(attemptName(key))) {
      // The order is read again when the job has begun.
      this.parts.claimRules.expire();
      return;
    }
    this.sent.add(id);
    const { claimRules, events, link, timer } = this.parts;
    events.signalling(key, signal);
    if (await link.signal(key, signal, id)) {
      this.delivered.push(id);
      timer.wake();
    } else {
      // There is no runner. The orders are read again after the next connection.
      this.sent.delete(id);
      claimRules.expire();
    }
  }
}
