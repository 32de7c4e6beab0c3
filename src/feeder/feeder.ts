import { RqError } from '../job/errors.ts';
import type { FeederEvents } from '../log/events.ts';
import type { Queue } from '../queue/open.ts';
import { Recovery } from './adoption/recovery.ts';
import { Attempts } from './attempts.ts';
import { Backoff } from './backoff.ts';
import { ClaimRules } from './control/claim-rules.ts';
import { JobControl } from './control/job-control.ts';
import { Kills } from './control/kills.ts';
import type { EndKind, EndRequest } from './end-request.ts';
import { EndedAttempts } from './ended-attempts.ts';
import { Exchanger } from './exchanger.ts';
import { HostCapacity } from './host/capacity.ts';
import type { ClusterMembership } from './host/cluster-membership.ts';
import type { HostResources } from './host/resources.ts';
import { Placement } from './placement.ts';
import { Poller } from './poller.ts';
import type { IdentityCheck } from './runtime/identity-check.ts';
import type { ServedGeneration } from './runtime/queue-record.ts';
import type { FeederSettings } from './settings.ts';
import { JobLauncher } from './start/job-launcher.ts';
import type { RunnerLink } from './start/runner-link.ts';
import { isSchemaError, SchemaMismatch } from './upgrade/schema-mismatch.ts';

/** Claims jobs of one queue and has them run, until it is asked to end. */
export class Feeder {
  readonly poller: Poller;
  readonly ended: EndedAttempts;
  private readonly attempts = new Attempts();
  private readonly claimRules: ClaimRules;
  private readonly kills: Kills;
  private readonly control: JobControl;
  private readonly launcher: JobLauncher;
  private readonly exchanger: Exchanger;
  private readonly recovery: Recovery;
  private readonly backoff: Backoff;
  private readonly placement: Placement;
  private readonly mismatch: SchemaMismatch;

  constructor(
    queue: Queue,
    private readonly settings: FeederSettings,
    private readonly parts: {
      endRequest: EndRequest;
      events: FeederEvents;
      isProgramReady: () => Promise<boolean>;
      link: RunnerLink;
      membership: ClusterMembership;
      identityCheck: IdentityCheck;
      served: ServedGeneration;
      resources: HostResources;
    },
  ) {
    const { attempts } = this;
    const { events, identityCheck, link, membership, served } = parts;
    const poller = new Poller(queue, settings, () => membership.serverNow(), identityCheck.identity.inode);
    const { timer } = poller;
    const kills = new Kills(link, settings, events);
    const claimRules = new ClaimRules(events);
    const control = new JobControl({ attempts, claimRules, events, kills, link, timer });
    const capacity = new HostCapacity(parts.resources, { attempts, link });
    const placement = new Placement(capacity, { ...parts, attempts, claimRules }, queue.clock);
    const launcher = new JobLauncher({ ...parts, attempts, control, kills, placement, timer });
    this.ended = new EndedAttempts({ attempts, control, events, kills, launcher, timer });
    this.exchanger = new Exchanger(queue, settings, {
      attempts,
      claimRules,
      control,
      events,
      link,
      membership,
      placement,
      poller,
      served,
    });
    this.recovery = new Recovery(queue, settings.host, {
      attempts,
      control,
      events,
      kills,
      link,
      identity: identityCheck.identity,
    });
    this.backoff = new Backoff(settings.retries);
    this.mismatch = new SchemaMismatch(queue, settings.maxSleepMs, { ...parts, timer });
    this.poller = poller;
    this.claimRules = claimRules;
    this.kills = kills;
    this.control = control;
    this.placement = placement;
    this.launcher = launcher;
    launcher.onRefused = (end) => this.ended.record(end);
    link.onExit = (end) => this.ended.record(end);
    link.onLost = () => timer.wake();
    parts.endRequest.subscribe(() => this.announceEnd());
  }

  /**
   * Feeds until it is asked to end, or until the queue is empty. Returns the request, undefined if there was none. Throws
   * if the queue can no longer be used.
   */
  async run(): Promise<EndKind | undefined> {
    const { endRequest } = this.parts;
    while (!this.recovery.hasAdopted && !this.mayRestart) {
      await this.retry(() => this.recovery.adoptAttempts());
    }
    for (;;) {
      this.applyEndRequest();
      if (this.isDone()) return endRequest.kind;
      await this.retry(() => this.iterate());
    }
  }

  /** One iteration of the loop. It sleeps if there is no work. */
  private async iterate(): Promise<void> {
    const { launcher, recovery } = this;
    if (this.poller.isReplaced) {
      await this.parts.identityCheck.confirm();
      this.poller.isReplaced = false;
    }
    if (this.parts.link.isLost) return await recovery.reconnectRunner((end) => this.ended.record(end));
    await this.mismatch.check();
    await this.parts.membership.check(() => recovery.killStaleAttempts());
    launcher.releaseUnlessFit();
    launcher.startClaimed();
    await recovery.findUnknownClaims();
    launcher.releaseStalled();
    await this.exchangeOrSleep();
  }

  private async exchangeOrSleep(): Promise<void> {
    const { exchanger, launcher, poller } = this;
    const { hasReports, remainingMs } = exchanger;
    if (hasReports && remainingMs > 0) return await poller.timer.sleep(remainingMs);
    if (!hasReports && !(await this.findsJob())) return await poller.poll(exchanger.sleepLimitMs);
    await exchanger.exchange();
    launcher.startClaimed();
  }

  private async findsJob(): Promise<boolean> {
    const { claimRules, control, exchanger, placement, poller } = this;
    const room = placement.mayClaim && placement.freeSlots >= 1 ? placement.room : undefined;
    return await poller.search(room, exchanger.invalidJobs, claimRules.known, (found) => control.apply(found));
  }

  /** Runs a step. After a transient error it waits before the next try; other errors are thrown. */
  private async retry(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.backoff.reset();
    } catch (error) {
      this.recovery.mayHaveUnknownClaims = true;
      if (isSchemaError(error)) return await this.waitForSchema(error);
      const retryMs = this.backoff.delayMs(error, this.mayEndOn(error));
      this.parts.events.queueFailed(error, retryMs);
      await this.poller.timer.sleep(retryMs);
    }
  }

  /** Restarts the installed program if it supports the schema. A feeder that is ending waits only for its running jobs. */
  private async waitForSchema(error: unknown): Promise<void> {
    const { endRequest } = this.parts;
    const isEnding = endRequest.kind === 'shutdown' || endRequest.kind === 'stop';
    // The next feeder gets the results from the runner.
    if (isEnding && this.attempts.running.size === 0) throw error;
    await this.mismatch.wait(error, isEnding);
    if (this.mismatch.isRestartDue) endRequest.request('restart', 'an upgrade');
  }

  /** Whether the restart that was requested may happen: the new program must be able to use the queue. */
  private get mayRestart(): boolean {
    const { isMet, isRestartDue } = this.mismatch;
    return this.parts.endRequest.kind === 'restart' && (!isMet || isRestartDue);
  }

  /** A feeder that is ending waits only briefly for its runner, or to adopt: its jobs continue for the next feeder. */
  private mayEndOn(error: unknown): boolean {
    const { kind } = this.parts.endRequest;
    if (kind !== 'shutdown' && kind !== 'stop') return false;
    return !this.recovery.hasAdopted || (error instanceof RqError && error.code === 'RUNNER');
  }

  private announceEnd(): void {
    const { endRequest, events } = this.parts;
    if (endRequest.kind === 'shutdown') events.shuttingDown(endRequest.requestedBy, this.attempts.running.size);
    this.poller.timer.wake();
  }

  private applyEndRequest(): void {
    const { endRequest } = this.parts;
    const { loops } = this.settings;
    if (loops !== undefined && this.poller.count >= loops && endRequest.kind === undefined) {
      endRequest.request('shutdown', 'loops');
    }
    if (endRequest.kind === undefined) return;
    this.launcher.releaseUnstarted();
    if (endRequest.kind === 'stop') this.kills.killAll(this.attempts, endRequest.requestedBy);
  }

  private isDone(): boolean {
    const { attempts, mismatch, settings } = this;
    const { endRequest, link } = this.parts;
    if (endRequest.kind === 'restart' && mismatch.isMet) return this.mayRestart;
    // If the runner is lost, the next feeder gets the results from it.
    if (endRequest.kind === 'restart') return link.isLost || (attempts.claimed.length === 0 && !attempts.hasResults);
    if (!attempts.isEmpty) return false;
    return endRequest.kind !== undefined || (settings.untilEmpty && this.hasNothingToRun);
  }

  /** No job that this host may run is pending, or this host claims none. */
  private get hasNothingToRun(): boolean {
    const { claimRules, poller } = this;
    return claimRules.isDrained || (!poller.mayFindJob && !poller.expectsJob);
  }

  /** Why the feeder ends without a request. */
  get endReason(): string {
    return this.claimRules.isDrained ? 'this host is drained' : 'nothing is pending';
  }
}
