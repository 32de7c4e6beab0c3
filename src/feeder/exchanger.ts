import { crashAt } from '../job/crash-points.ts';
import type { FeederEvents } from '../log/events.ts';
import { type ExchangeResult, exchange, mayBeRetried } from '../queue/exchange/exchange.ts';
import type { Queue } from '../queue/open.ts';
import { attemptName } from '../runner/protocol/messages.ts';
import type { Attempts, Reports } from './attempts.ts';
import type { ClaimRules } from './control/claim-rules.ts';
import type { JobControl } from './control/job-control.ts';
import type { ClusterMembership } from './host/cluster-membership.ts';
import type { Placement } from './placement.ts';
import type { Poller } from './poller.ts';
import type { ServedGeneration } from './runtime/queue-record.ts';
import type { FeederSettings } from './settings.ts';
import type { RunnerLink } from './start/runner-link.ts';

/** How long the report of a start waits for an exchange that is made for another reason. */
const START_REPORT_MS = 500;

/** Reports the attempts of this host and claims jobs, in one transaction. */
export class Exchanger {
  /** Pending jobs that cannot be claimed. Each is logged once. */
  readonly invalidJobs = new Set<number>();
  private exchangedMs = 0;

  constructor(
    private readonly queue: Queue,
    private readonly settings: FeederSettings,
    private readonly parts: {
      attempts: Attempts;
      claimRules: ClaimRules;
      control: JobControl;
      events: FeederEvents;
      link: RunnerLink;
      membership: ClusterMembership;
      placement: Placement;
      poller: Poller;
      served: ServedGeneration;
    },
  ) {}

  get hasReports(): boolean {
    const { attempts } = this.parts;
    return attempts.hasResults || (this.hasMinorReports && this.sinceExchangeMs >= START_REPORT_MS);
  }

  /** How long reports may still accumulate. */
  get remainingMs(): number {
    const { attempts, placement } = this.parts;
    return placement.throughput.gatherMs(attempts.hasUnstarted) - this.sinceExchangeMs;
  }

  /** How long the feeder may sleep; undefined if there is nothing to report. */
  get sleepLimitMs(): number | undefined {
    return this.hasMinorReports ? START_REPORT_MS : undefined;
  }

  private get hasMinorReports(): boolean {
    const { attempts, control } = this.parts;
    return attempts.starts.length > 0 || control.hasDelivered;
  }

  /** Makes an exchange. If it fails, the reports are kept for the next one, and the error is thrown. */
  async exchange(): Promise<void> {
    const { attempts, claimRules, control, link, membership, placement } = this.parts;
    const { host, mayRun, untilEmpty } = this.settings;
    const startMs = this.queue.clock.monotonicMs();
    const reports = attempts.takeReports();
    const { room } = placement;
    const { boot, journal } = link.runner;
    const claimant = { host, boot, journal };
    const delivered = control.takeDelivered();
    const orders = { delivered, known: claimRules.known };
    const serverNow = (): string => membership.serverNow();
    try {
      const result = await exchange(this.queue, {
        claimant,
        serverNow,
        ...reports,
        ...orders,
        room,
        mayRun,
        untilEmpty,
      });
      if (result.claimed.length > 0) crashAt('claim-committed');
      if (reports.ends.length > 0) crashAt('end-committed');
      // Before the runner forgets them: an older copy of the database has these attempts as running.
      if (reports.ends.length > 0) this.parts.served.record(result.generation);
      control.forgetDelivered(delivered);
      // Before the claims: the wishes were read before them.
      control.apply(result.control);
      this.applyClaims(result, reports);
      this.acknowledge(result, reports);
      this.logInvalid(result.invalid);
      this.recordDuration(startMs, reports.ends.length, result.claimed.length);
    } catch (error) {
      attempts.restoreReports(reports);
      control.restoreDelivered(delivered);
      throw error;
    }
  }

  private applyClaims({ claimed, hasUndecided, next }: ExchangeResult, { ends, releases }: Reports): void {
    const { attempts, control, poller } = this.parts;
    attempts.claimed.push(...claimed);
    control.noteClaims(claimed);
    if (next !== undefined) poller.noteExhausted(next);
    else if (claimed.length > 0) poller.mayFindJob = true;
    // A released job can be claimed again. One that failed, or that this host could not start, may have a time for its next try.
    const hasRequeued = releases.length > 0 || ends.some((end) => end.not_started || mayBeRetried(end));
    if (hasRequeued) poller.mayFindJob = true;
    if (hasUndecided) poller.noteUndecided();
  }

  /** Lets the runner forget the results that the database has recorded. */
  private acknowledge({ refused, setAside }: ExchangeResult, { ends, releases }: Reports): void {
    const { events, link } = this.parts;
    for (const key of refused) events.resultRefused(key);
    for (const { reason, ...key } of setAside) events.resultSetAside(key, reason);
    for (const key of releases) events.jobReleased(key);
    // The runner keeps a result that was set aside. The next feeder reports it again.
    const rejected = new Set(setAside.map(attemptName));
    const recorded = ends.filter((end) => !rejected.has(attemptName(end)));
    if (recorded.length > 0) link.acknowledge(recorded);
  }

  private logInvalid(jids: readonly number[]): void {
    const added = jids.filter((jid) => !this.invalidJobs.has(jid));
    for (const jid of added) this.invalidJobs.add(jid);
    if (added.length > 0) this.parts.events.invalidJobsSkipped(added);
  }

  private recordDuration(startMs: number, ends: number, claimed: number): void {
    this.exchangedMs = this.queue.clock.monotonicMs();
    const ms = this.exchangedMs - startMs;
    this.parts.placement.throughput.recordExchange(ms, ends);
    this.parts.events.exchanged({ ends, claimed, ms });
  }

  private get sinceExchangeMs(): number {
    return this.queue.clock.monotonicMs() - this.exchangedMs;
  }
}
