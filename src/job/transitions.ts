import { type KillWish, killedBeforeReason, killedReason } from './control/kill.ts';
import { type Failure, isRetriedOn } from './control/retry-policy.ts';
import type { JobState } from './states.ts';

/** An event of a job, or a request for it. */
export type JobEvent =
  /** A feeder takes it. */
  | { readonly kind: 'claim' }
  | AttemptEnded
  /** Another host declares its host lost. */
  | { readonly kind: 'host lost'; readonly reason: string }
  /** Its host could not start it. `isFinal`: enough hosts have tried. */
  | { readonly kind: 'start failed'; readonly isFinal: boolean }
  /** Its attempt never started. */
  | { readonly kind: 'release' }
  /** The array of the task has stopped. */
  | { readonly kind: 'array stopped'; readonly reason: string }
  /** A user wants it to end. */
  | { readonly kind: 'kill'; readonly wish: KillWish }
  /** A dependency can no longer be met. */
  | { readonly kind: 'dependency failed'; readonly reason: string }
  /** The dependency of which it died is met, or can be met again. */
  | { readonly kind: 'dependency restored' }
  | { readonly kind: 'resubmit' | 'update'; readonly state?: 'pending' | 'holding' | undefined };

/** Its attempt ended. Without exit status and signal, the end was not seen or the attempt could not begin. */
interface AttemptEnded extends Failure {
  readonly kind: 'end';
  /** Why rq ended it, or why the end was not seen; null for an end of its own. */
  readonly reason: string | null;
  /** The end was not seen. */
  readonly isLost: boolean;
  /** `rq stop` ended it. */
  readonly isStopped: boolean;
  /** Its processes received the signal of a kill. */
  readonly isKilled: boolean;
}

export interface Transition {
  readonly state: JobState;
  /**
   * `begins` and `ends`: the row of the job shows it. `becomes earlier`: it moves to the history of the job, and the row
   * shows no attempt. `never began`: the row shows no attempt, and its number is used again. `stays`: the row keeps what
   * it shows.
   */
  readonly attempt: 'begins' | 'ends' | 'becomes earlier' | 'never began' | 'stays';
  /** The attempt counts as lost with its host. */
  readonly isLoss?: true;
  /** The attempt failed and is followed by a retry, which waits for the backoff. */
  readonly isRetry?: true;
  /** Replaces the reason of the end. */
  readonly reason?: string;
}

interface Subject {
  readonly state: JobState;
  readonly restartable: boolean;
  /** The number of attempts that were lost with their hosts. */
  readonly losses?: number;
  /** The job is dead because it was lost. */
  readonly isLost?: boolean;
  /** The job is dead because a dependency could not be met. */
  readonly hasDiedOf?: boolean;
  /** The request of a user to end it. */
  readonly kill?: KillWish | undefined;
  /** The permitted number of retries, the number so far, and the failures after which the job is retried. */
  readonly retries?: number | null;
  readonly tries?: number;
  readonly retryOn?: string | null;
}

/** A restartable job is dead after this many losses: it may be what makes its hosts fail. */
export const MAX_LOSSES = 5;

/** The next state of a job; undefined where the event does not apply to a job in its state, which then stays as it is. */
export function nextState(job: Subject, event: JobEvent): Transition | undefined {
  const { state } = job;
  switch (event.kind) {
    case 'claim':
      return state === 'pending' ? { state: 'running', attempt: 'begins' } : undefined;
    case 'end':
      return afterEnd(job, event);
    case 'host lost':
      return state === 'running' ? afterLoss(job, event.reason) : undefined;
    case 'start failed':
      if (!isOpen(job)) return undefined;
      return event.isFinal && job.kill === undefined ? { state: 'dead', attempt: 'ends' } : afterRelease(job);
    case 'release':
      return isOpen(job) ? afterRelease(job) : undefined;
    case 'array stopped':
      return state === 'pending' ? { state: 'dead', attempt: 'stays', reason: event.reason } : undefined;
    case 'kill':
      return afterKill(job, event.wish);
    case 'dependency failed':
      return isWaiting(job) ? { state: 'dead', attempt: 'stays', reason: event.reason } : undefined;
    case 'dependency restored':
      return state === 'dead' && job.hasDiedOf === true ? { state: 'pending', attempt: 'stays' } : undefined;
    case 'resubmit':
      return state === 'finished' || state === 'dead' ? { ...REQUEUED, state: event.state ?? 'pending' } : undefined;
    case 'update':
      return isWaiting(job) ? { state: event.state ?? state, attempt: 'stays' } : undefined;
  }
}

const REQUEUED: Transition = { state: 'pending', attempt: 'becomes earlier' };

function afterEnd(job: Subject, end: AttemptEnded): Transition | undefined {
  if (isOpen(job)) return end.isLost ? afterLoss(job, end.reason ?? '') : afterOwnEnd(job, end);
  if (isWaiting(job)) return undefined;
  // A feeder that was killed after its commit left the end with the runner, which reports it again.
  return end.isLost && job.restartable ? undefined : { state: job.state, attempt: 'stays' };
}

/** After an end that was seen, or a start that the runner refused. */
function afterOwnEnd(job: Subject, end: AttemptEnded): Transition {
  const { exit_status, signal, isStopped } = end;
  if (exit_status === null && signal === null) return { state: 'dead', attempt: 'ends' };
  const hasFailed = exit_status !== 0 || end.reason !== null;
  const { kill, retries, tries = 0, retryOn = null } = job;
  if (kill !== undefined && (hasFailed || end.isKilled)) return { ...ENDED, reason: killedReason(kill) };
  if (isStopped) return job.restartable ? REQUEUED : ENDED;
  return hasFailed && tries < Number(retries ?? 0) && isRetriedOn(retryOn, end)
    ? { ...REQUEUED, isRetry: true }
    : ENDED;
}

const ENDED: Transition = { state: 'finished', attempt: 'ends' };

/** Whether the queue still accepts the end of the attempt. The host of a lost job may report it later. */
function isOpen({ state, isLost }: Subject): boolean {
  return state === 'running' || (state === 'dead' && isLost === true);
}

function isWaiting({ state }: Subject): boolean {
  return state === 'pending' || state === 'holding';
}

function afterRelease({ kill }: Subject): Transition {
  if (kill === undefined) return { state: 'pending', attempt: 'never began' };
  return { state: 'dead', attempt: 'never began', reason: killedBeforeReason(kill) };
}

function afterKill(job: Subject, wish: KillWish): Transition | undefined {
  if (isWaiting(job)) return { state: 'dead', attempt: 'stays', reason: killedBeforeReason(wish) };
  return job.state === 'running' ? { state: 'running', attempt: 'stays' } : undefined;
}

function afterLoss({ restartable, losses = 0, kill }: Subject, reason: string): Transition {
  if (kill !== undefined) return { state: 'dead', attempt: 'ends', reason: `${killedReason(kill)}; ${reason}` };
  if (!restartable) return { state: 'dead', attempt: 'ends' };
  if (losses + 1 < MAX_LOSSES) return { ...REQUEUED, isLoss: true };
  return { state: 'dead', attempt: 'ends', reason: `lost ${MAX_LOSSES} times` };
}
