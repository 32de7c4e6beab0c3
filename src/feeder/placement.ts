import type { Clock } from '../job/clock.ts';
import type { ClaimedJob } from '../job/job.ts';
import type { HostRoom } from '../job/placement/room.ts';
import type { Attempts } from './attempts.ts';
import { ClaimBackoff } from './claim-backoff.ts';
import type { ClaimRules } from './control/claim-rules.ts';
import type { EndRequest } from './end-request.ts';
import type { HostCapacity } from './host/capacity.ts';
import type { ClusterMembership } from './host/cluster-membership.ts';
import type { RunnerLink } from './start/runner-link.ts';
import { Throughput } from './throughput.ts';

/** Decides how many jobs this host may claim, and whether it may start one. */
export class Placement {
  readonly claimBackoff: ClaimBackoff;
  readonly throughput: Throughput;

  constructor(
    readonly capacity: HostCapacity,
    private readonly parts: {
      attempts: Attempts;
      claimRules: ClaimRules;
      endRequest: EndRequest;
      link: RunnerLink;
      membership: ClusterMembership;
    },
    clock: Clock,
  ) {
    this.claimBackoff = new ClaimBackoff(clock);
    this.throughput = new Throughput(clock);
  }

  /** This host can start jobs, is not drained, and other hosts have not declared it lost. */
  get canStartJobs(): boolean {
    const { claimRules, membership } = this.parts;
    return this.claimBackoff.remainingMs === 0 && !claimRules.isDrained && !membership.mayBeLost;
  }

  /** The cpus of this host for jobs. */
  get cpus(): number {
    return this.capacity.resources.cpus;
  }

  /** All cpus are taken by attempts at the runner. */
  get isFull(): boolean {
    return this.parts.attempts.runningCpus >= this.cpus;
  }

  get mayClaim(): boolean {
    return this.parts.endRequest.kind === undefined && this.canStartJobs;
  }

  /** The number of cpus without a job; negative while jobs are claimed ahead. */
  get freeSlots(): number {
    return this.capacity.free().cpus;
  }

  /** What the next exchange may claim. */
  get room(): HostRoom {
    const { cpus: free, ...others } = this.capacity.free();
    const cpus = this.mayClaim ? free : 0;
    const ahead = this.mayClaim ? this.throughput.claimAhead() : 0;
    // Jobs that were claimed ahead are more than the free cpus.
    return {
      ...others,
      cpus: Math.max(0, cpus),
      ahead: Math.max(0, ahead + Math.min(0, cpus)),
      total: this.capacity.total(),
    };
  }

  /** Claimed jobs may be sent to the runner. */
  get mayStart(): boolean {
    const { endRequest, link } = this.parts;
    return endRequest.kind !== 'stop' && !link.isLost && this.canStartJobs;
  }

  /** There are cpus for a claimed job. Short jobs of one cpu are sent ahead of a free one, so that no cpu waits for a job. */
  hasCpusFor({ cpus, gpus }: ClaimedJob): boolean {
    const { attempts, link } = this.parts;
    const isSmall = (cpus ?? 1) === 1 && gpus === null;
    const ahead = isSmall ? Math.min(link.maxAhead, this.throughput.claimAhead()) : 0;
    return attempts.runningCpus + (cpus ?? 1) <= this.cpus + ahead;
  }
}
