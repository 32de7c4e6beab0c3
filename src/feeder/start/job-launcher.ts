import { crashAt } from '../../job/crash-points.ts';
import { errorMessage } from '../../job/errors.ts';
import type { ClaimedJob } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd } from '../../queue/exchange/exchange.ts';
import type { Attempts } from '../attempts.ts';
import type { JobControl } from '../control/job-control.ts';
import type { Kills } from '../control/kills.ts';
import type { EndRequest } from '../end-request.ts';
import type { Placement } from '../placement.ts';
import type { PollTimer } from '../poll-timer.ts';
import type { RunnerLink } from './runner-link.ts';

/** The runner does not let other jobs wait longer than a second for one that is not ready. */
const HANG_MS = 2_000;

/** Sends claimed jobs to the runner, and releases those that should not start on this host. */
export class JobLauncher {
  /** Called for an attempt that the runner refused to start. */
  onRefused: (end: AttemptEnd) => void = () => undefined;

  constructor(
    private readonly parts: {
      attempts: Attempts;
      control: JobControl;
      endRequest: EndRequest;
      events: FeederEvents;
      kills: Kills;
      link: RunnerLink;
      placement: Placement;
      timer: PollTimer;
    },
  ) {}

  /** Sends claimed jobs to the runner while there is room. An earlier attempt of such a job that still runs is killed. */
  startClaimed(): void {
    const { attempts, kills, placement } = this.parts;
    while (placement.mayStart) {
      const next = attempts.next((earlier) => kills.killStale(earlier));
      if (next === undefined || !placement.hasCpusFor(next)) return;
      // A claim takes only what fits, so that a job waits for GPUs only if those of the host have changed since.
      const devices = placement.capacity.devices(next.gpus ?? 0);
      const job = devices === undefined ? undefined : attempts.sendNext(devices);
      if (job === undefined) return;
      placement.throughput.recordProgress();
      void this.start(job);
    }
  }

  /** Releases all jobs that have not started, if this host may not start them. */
  releaseUnlessFit(): void {
    if (!this.parts.placement.canStartJobs) this.releaseUnstarted();
  }

  /**
   * Releases jobs that were claimed ahead, if no slot becomes free: another host may have one. A job that has a slot and does
   * not start waits for its directory, and the runner gives it up after a minute; this host would only claim it again.
   */
  releaseStalled(): void {
    const { attempts, link, placement } = this.parts;
    if (!attempts.hasUnstarted || !placement.isFull || !placement.throughput.resetIfStalled()) return;
    attempts.releaseClaimed();
    const ahead = attempts.unconfirmedAhead(placement.cpus);
    if (ahead.length > 0) link.cancel(ahead);
  }

  /** Releases all jobs that have not started. Those at the runner follow when it confirms that they are cancelled. */
  releaseUnstarted(): void {
    const { attempts, link } = this.parts;
    attempts.releaseClaimed();
    if (attempts.unconfirmed.size > 0) link.cancel([...attempts.unconfirmed.values()]);
  }

  /** Suspends claims if the host can start no job. */
  recordEnd({ not_started, reason }: AttemptEnd): void {
    if (not_started === 'shortage') this.recordHostFailure(reason ?? '');
  }

  private async start(job: ClaimedJob): Promise<void> {
    const { attempts, endRequest, events, link, placement } = this.parts;
    const reply = link.spawn(job);
    setImmediate(() => crashAt('job-sent'));
    const timer = setInterval(() => this.setAsideIfHanging(job), HANG_MS);
    const outcome = await reply;
    clearInterval(timer);
    crashAt('job-started');
    attempts.confirm(job);
    if (outcome.kind === 'started') {
      placement.throughput.recordProgress();
      placement.claimBackoff.recordStart();
      events.jobStarted({ jid: job.jid, claim: job.claim, pid: outcome.start.pid });
      attempts.start(outcome.start);
      this.parts.control.onRunning();
    } else if (outcome.kind === 'refused') {
      this.onRefused(outcome.end);
    } else if (outcome.kind === 'not-started') {
      const { hostError } = outcome;
      if (hostError !== undefined) this.recordHostFailure(errorMessage(hostError));
      attempts.release(job);
    }
    if (outcome.kind === 'not-started' || endRequest.kind === 'stop') this.parts.timer.wake();
  }

  private setAsideIfHanging(job: ClaimedJob): void {
    const { attempts, events, placement, timer } = this.parts;
    if (!attempts.setAside(job, placement.cpus)) return;
    events.directoryHangs({ jid: job.jid, claim: job.claim }, job.cwd);
    timer.wake();
  }

  private recordHostFailure(reason: string): void {
    const { events, placement } = this.parts;
    if (!placement.claimBackoff.recordFailure()) return;
    events.claimsSuspended(placement.claimBackoff.remainingMs, reason);
    this.releaseUnstarted();
  }
}
