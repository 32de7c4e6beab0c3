import type { AttemptKey } from '../../job/job.ts';
import { devicesText } from '../../job/placement/holding.ts';
import type { FeederEvents } from '../../log/events.ts';
import { type AttemptEnd, readOwnedAttempts, runningJobs } from '../../queue/exchange/exchange.ts';
import type { Identity } from '../../queue/identity.ts';
import type { Queue } from '../../queue/open.ts';
import { attemptName } from '../../runner/protocol/messages.ts';
import type { Attempts } from '../attempts.ts';
import type { JobControl } from '../control/job-control.ts';
import type { Kills } from '../control/kills.ts';
import type { RunnerLink } from '../start/runner-link.ts';
import { type RunnerState, reconcile } from './reconcile.ts';

/** Brings the feeder's list of attempts in line with the database and the runner, after one of them was unreachable. */
export class Recovery {
  hasAdopted = false;
  /** The database may contain claims that the feeder does not know: an exchange failed, or a journal is missing. */
  mayHaveUnknownClaims = false;
  /** The journal of the runner that was lost, until all of its attempts are accounted for. */
  private lostJournal: string | undefined;

  constructor(
    private readonly queue: Queue,
    private readonly host: string,
    private readonly parts: {
      attempts: Attempts;
      control: JobControl;
      events: FeederEvents;
      kills: Kills;
      link: RunnerLink;
      identity: Identity;
    },
  ) {}

  /** Adopts the attempts that a previous feeder of this host has left. */
  async adoptAttempts(): Promise<void> {
    const { attempts, control, events, kills, link } = this.parts;
    if (link.isLost) await link.connect();
    const rows = await runningJobs(this.queue, this.host);
    const listed = await link.list();
    const owned = await readOwnedAttempts(this.queue, this.host, listed);
    const found = reconcile(rows, { listed, owned }, this.runnerState());
    for (const attempt of found.adopted) {
      const { jid, claim, pid, started, holding } = attempt;
      attempts.add({ jid, claim, holding });
      attempts.start({ jid, claim, pid, started, devices: devicesText(holding.devices) });
      events.jobAdopted(attempt);
    }
    // Stale attempts keep what they hold until they have ended, and later attempts of their jobs wait for that.
    for (const { jid, claim, holding } of found.stale) attempts.add({ jid, claim, holding });
    control.notePauses(listed);
    attempts.ends.push(...found.ended);
    this.recordUnknown(found);
    this.hasAdopted = true;
    for (const attempt of found.stale) kills.killStale(attempt);
    link.deliverExits();
  }

  /** Connects to the runner, or starts a new one, and asks it about the attempts that were with the lost one. */
  async reconnectRunner(recordEnd: (end: AttemptEnd) => void): Promise<void> {
    const { attempts, control, events, kills, link } = this.parts;
    // A failed connect may have changed `link.runner` already.
    this.lostJournal ??= link.runner.journal;
    events.runnerLost(link.lossReason);
    await link.connect();
    const listed = await link.list();
    const byName = new Map(listed.map((attempt) => [attemptName(attempt), attempt]));
    // A copy of the map: each recorded end may start a claimed job, which the runner's list does not contain.
    for (const [name, key] of Array.from(attempts.running)) {
      const attempt = byName.get(name);
      if (attempt?.state === 'exited') recordEnd(attempt.exit);
      if (attempt !== undefined) continue;
      attempts.remove(key);
      // An attempt that is missing from its own journal was never started.
      if (link.runner.journal === this.lostJournal) attempts.releases.push(key);
      else this.mayHaveUnknownClaims = true;
    }
    this.lostJournal = undefined;
    link.deliverExits();
    kills.resend(attempts);
    control.notePauses(listed);
  }

  /** Kills the attempts whose jobs were claimed again, after other hosts may have declared this one lost. */
  async killStaleAttempts(): Promise<void> {
    const { attempts, kills } = this.parts;
    attempts.releaseClaimed();
    const running = [...attempts.running.values()];
    const owned = new Set((await readOwnedAttempts(this.queue, this.host, running)).map(attemptName));
    for (const key of running.filter((each) => !owned.has(attemptName(each)))) {
      // The attempt may have ended during the query.
      if (attempts.running.has(attemptName(key))) kills.killStale(key);
    }
  }

  /** Finds claims that a failed exchange has committed, and attempts whose journal is missing. */
  async findUnknownClaims(): Promise<void> {
    if (!this.mayHaveUnknownClaims) return;
    const rows = await runningJobs(this.queue, this.host);
    const { running, claimed, blocked, ends, releases } = this.parts.attempts;
    const ours = new Set([...running.keys(), ...[...claimed, ...blocked, ...ends, ...releases].map(attemptName)]);
    const unknown = rows.filter((row) => !ours.has(attemptName(row)));
    this.recordUnknown(reconcile(unknown, { listed: [], owned: [] }, this.runnerState()));
    this.mayHaveUnknownClaims = false;
  }

  private runnerState(): RunnerState {
    const { boot, journal } = this.parts.link.runner;
    return { boot, journal, now: this.queue.clock.now(), copied: this.parts.identity.copied };
  }

  /** Records the claims that the runner does not know, for the next exchange. */
  private recordUnknown({ lost, neverStarted }: { lost: AttemptEnd[]; neverStarted: AttemptKey[] }): void {
    const { attempts, events } = this.parts;
    for (const end of lost) events.jobLost(end, end.reason ?? '');
    attempts.ends.push(...lost);
    attempts.releases.push(...neverStarted);
  }
}
