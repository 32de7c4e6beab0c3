import type { Clock } from '../job/clock.ts';
import type { HostRoom } from '../job/placement/room.ts';
import type { Attempts } from './attempts.ts';
import { ClaimBackoff } from './claim-backoff.ts';
import type { EndRequest } from './end-request.ts';
import type { ClusterMembership } from './host/cluster-membership.ts';
import type { RunnerLink } from './start/runner-link.ts';
import { Throughput } from './throughput.ts';

/** Decides how many jobs this host may claim, and whether it may start one. */
export class Placement {
  readonly claimBackoff: ClaimBackoff;
  readonly throughput: Throughput;

  constructor(
    readonly slots: number,
    private readonly parts: {
      attempts: Attempts;
      endRequest: EndRequest;
      link: RunnerLink;
      membership: ClusterMembership;
    },
    clock: Clock,
  ) {
    this.claimBackoff = new ClaimBackoff(clock);
    this.throughput = new Throughput(clock);
  }

  /** This host can start jobs, and other hosts have not declared it lost. */
  get canStartJobs(): boolean {
    return this.claimBackoff.remainingMs === 0 && !this.parts.membership.mayBeLost;
  }

  /** All slots are taken by attempts at the runner. */
  get isFull(): boolean {
    return this.parts.attempts.slotCount >= this.slots;
  }

  get mayClaim(): boolean {
    return this.parts.endRequest.kind === undefined && this.canStartJobs;
  }

  /** The number of slots without a job; negative while jobs are claimed ahead. */
  get freeSlots(): number {
    const { slotCount, claimed, blocked } = this.parts.attempts;
    return this.slots - slotCount - claimed.length - blocked.length;
  }

  /** What the next exchange may claim. */
  get room(): HostRoom {
    const cpus = this.mayClaim ? this.freeSlots : 0;
    const ahead = this.mayClaim ? this.throughput.claimAhead() : 0;
    // Jobs that were claimed ahead are more than the free slots.
    return {
      cpus: Math.max(0, cpus),
      ahead: Math.max(0, ahead + Math.min(0, cpus)),
      memory: null,
      gpus: 0,
      resources: {},
    };
  }

  /** A claimed job may be sent to the runner. Short jobs are sent ahead of a free slot, so that no slot waits for one. */
  get mayStart(): boolean {
    const { attempts, endRequest, link } = this.parts;
    const ahead = Math.min(link.maxAhead, this.throughput.claimAhead());
    const hasRoom = attempts.slotCount < this.slots + ahead && !link.isLost;
    return endRequest.kind !== 'stop' && hasRoom && this.canStartJobs;
  }
}
