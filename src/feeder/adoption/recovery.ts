import type { FeederEvents } from '../../log/events.ts';
import { type AttemptEnd, readOwnedAttempts, runningJobs } from '../../queue/exchange/exchange.ts';
import type { Queue } from '../../queue/open.ts';
import { type Attempts, nameOf } from '../attempts.ts';
import type { RunnerLink } from '../start/runner-link.ts';
import type { Kills } from './kills.ts';
import { reconcile } from './reconcile.ts';

/** Brings what the feeder believes of its attempts in line with the database and the runner, when either was out of sight. */
export class Recovery {
  /** An exchange failed with its outcome open, or a journal is gone: the database may hold claims nobody here knows of. */
  isUnsure = false;
  hasTakenOver = false;
  /** The journal of the runner that was lost, until all of its attempts are accounted for. */
  private lostJournal: string | undefined;
  private readonly queue: Queue;
  private readonly host: string;
  private readonly link: RunnerLink;
  private readonly kills: Kills;
  private readonly attempts: Attempts;
  private readonly events: FeederEvents;

  constructor(
    queue: Queue,
    host: string,
    link: RunnerLink,
    parts: { attempts: Attempts; kills: Kills; events: FeederEvents },
  ) {
    this.queue = queue;
    this.host = host;
    this.link = link;
    this.kills = parts.kills;
    this.attempts = parts.attempts;
    this.events = parts.events;
  }

  /** At the start: what does the database say that this host runs, and what does the runner know of it? */
  async takeOver(): Promise<void> {
    if (this.link.isLost) await this.link.connect();
    const rows = await runningJobs(this.queue, this.host);
    const { boot, journal, known } = await this.link.list();
    const owned = await readOwnedAttempts(this.queue, this.host, known);
    const found = reconcile(rows, { known, owned }, { boot, journal, now: this.queue.clock.now() });
    for (const attempt of found.adopted) {
      this.attempts.begin(attempt);
      if (attempt.pid !== null) this.attempts.began({ ...attempt, pid: attempt.pid });
      this.events.adopted(attempt);
    }
    // Until they have ended they have their slots, and later attempts of their jobs wait for them.
    for (const attempt of found.stale) this.attempts.begin(attempt);
    for (const end of found.lost) this.events.lost(end, end.reason ?? '');
    this.attempts.ends.push(...found.ended, ...found.lost);
    this.attempts.releases.push(...found.neverStarted);
    this.hasTakenOver = true;
    for (const attempt of found.stale) this.kills.killStale(attempt);
    this.link.deliver();
  }

  /** The runner is gone: start another, and find out what it knows of the attempts that were with the old one. */
  async mendLink(ended: (end: AttemptEnd) => void): Promise<void> {
    // To connect may fail after it has met another journal.
    this.lostJournal ??= this.link.journal;
    this.events.runnerLost(this.link.reason);
    await this.link.connect();
    const { known, journal } = await this.link.list();
    const byName = new Map(known.map((attempt) => [nameOf(attempt), attempt]));
    // A copy: with each end a claimed job may begin, which is in the map then and not in the list.
    for (const [name, key] of Array.from(this.attempts.running)) {
      const attempt = byName.get(name);
      if (attempt?.state === 'exited') ended(attempt.exit);
      if (attempt !== undefined) continue;
      this.attempts.drop(key);
      // Not in the journal that would know it: it was never started.
      if (journal === this.lostJournal) this.attempts.releases.push(key);
      else this.isUnsure = true;
    }
    this.lostJournal = undefined;
    this.link.deliver();
    this.kills.again(this.attempts);
  }

  /** Others may have taken this host for lost: what runs here of jobs that went to another is killed. */
  async dropStale(): Promise<void> {
    this.attempts.releaseClaimed();
    const running = [...this.attempts.running.values()];
    const owned = new Set((await readOwnedAttempts(this.queue, this.host, running)).map(nameOf));
    for (const key of running.filter((each) => !owned.has(nameOf(each)))) {
      // It may have ended while the database was asked.
      if (this.attempts.running.has(nameOf(key))) this.kills.killStale(key);
    }
  }

  /** Finds claims that were committed though the exchange failed, and attempts whose journal is gone. */
  async findUnknownClaims(): Promise<void> {
    if (!this.isUnsure) return;
    const rows = await runningJobs(this.queue, this.host);
    const { running, claimed, waiting, ends, releases } = this.attempts;
    const mine = new Set([...running.keys(), ...[...claimed, ...waiting, ...ends, ...releases].map(nameOf)]);
    const { boot, journal } = this.link;
    const unknown = rows.filter((row) => !mine.has(nameOf(row)));
    const found = reconcile(unknown, { known: [], owned: [] }, { boot, journal, now: this.queue.clock.now() });
    for (const end of found.lost) this.events.lost(end, end.reason ?? '');
    this.attempts.releases.push(...found.neverStarted);
    this.attempts.ends.push(...found.lost);
    this.isUnsure = false;
  }
}
