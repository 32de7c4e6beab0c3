import type { KillWish } from '../../control/kill.ts';
import type { DeadJob, FinishedJob, Outcome, RunningJob, WaitingJob } from '../../job.ts';
import type { FailedStarts } from '../failed-starts.ts';
import type { HostRoom, Limits } from '../room.ts';
import type { Shape } from '../shape.ts';
import type { Capacity } from './capacity.ts';
import type { HostMatcher } from './host-matcher.ts';

/** A host by the file of its node. Times are ISO 8601 in UTC. */
export interface HostState {
  readonly host: string;
  /** It has sent a recent heartbeat. */
  readonly isFeeding: boolean;
  /** Null for a host that has no file, and that a job names. */
  readonly lastHeartbeat: string | null;
  readonly capacity: Capacity;
}

/** What a claim of a host depends on. */
export interface HostFacts extends HostState {
  readonly free: HostRoom;
  /** The jids of the jobs that run there, ascending. */
  readonly running: readonly number[];
  readonly drained: Drained | undefined;
}

export interface Drained {
  /** User and host. */
  readonly by: string;
  readonly reason: string | null;
}

/** The queue at one moment. */
export interface QueueFacts {
  /** By the clock of this host, and by that of the file server. */
  readonly now: string;
  readonly serverNow: string;
  readonly hosts: readonly HostFacts[];
  readonly mayRun: HostMatcher;
  readonly limits: Limits;
  /** The number of failures after which each array stops. */
  readonly maxFails: ReadonlyMap<number, number>;
}

/** A job that others depend on. */
export interface Parent extends Outcome {
  readonly jid: number;
  readonly runner: string | null;
  readonly started: string | null;
  readonly finished: string | null;
}

/** A dependency that is not met. Without a parent, its job was deleted. */
export interface Need {
  readonly jid: number;
  readonly kind: 'ok' | 'any' | 'failed';
  readonly parent: Parent | undefined;
}

/** The reasons for which no host can claim a job yet. */
export interface Gate {
  /** The first of its needs. */
  readonly needs: readonly Need[];
  /** The number of its needs, counted up to a bound. */
  readonly total: number;
}

/** The place of a job in the order in which a host would claim. */
export interface Turn {
  /** The host would claim it now. */
  readonly isNext: boolean;
  /** The job for which the host keeps the places free that this one fits. */
  readonly keptFor: number | undefined;
  /** How many jobs go first; undefined if rq has not found its place. */
  readonly before: number | undefined;
  /** At least this many jobs go first. */
  readonly isMore: boolean;
}

export interface Reservation {
  readonly host: string | null;
  readonly since: string;
}

export interface WaitingFacts {
  readonly job: WaitingJob;
  readonly shape: Shape;
  /** No text of the job is longer than rq accepts. SQL of a user can write such a row, and no host claims it. */
  readonly isValid: boolean;
  readonly gate: Gate | undefined;
  readonly failures: FailedStarts;
  /** The number of retries so far, including the pending one. */
  readonly tries: number;
  /** The host that keeps places free for the job, and since when; null for places of its lanes. */
  readonly reservation: Reservation | undefined;
  /** By the name of the host. */
  readonly turnOn: (host: string) => Turn | undefined;
}

/** A job that runs or has ended. */
export interface CourseFacts {
  readonly job: RunningJob | FinishedJob | DeadJob;
  readonly kill: KillWish | undefined;
  /** The dependency that can no longer be met. */
  readonly diedOf: Parent | undefined;
  /** The job is dead because it was lost, and its host may still report its end. */
  readonly isLost: boolean;
}

export type Verdict = 'now' | 'later' | 'never';

/** Whether a host can run a job, and what decides that. */
export interface HostVerdict {
  readonly host: string;
  readonly verdict: Verdict;
  readonly cause: string | undefined;
}
