import type { JobState } from './states.ts';

/** An event of a job, or a request for it. */
export type JobEvent =
  /** A feeder takes it. */
  | { readonly kind: 'claim' }
  | AttemptEnded
  /** Another host declares its host lost. */
  | { readonly kind: 'host lost' }
  /** Its host could not start it. `isFinal`: enough hosts have tried. */
  | { readonly kind: 'start failed'; readonly isFinal: boolean }
  /** Its attempt never started. */
  | { readonly kind: 'release' }
  | { readonly kind: 'resubmit' | 'update'; readonly state?: 'pending' | 'holding' | undefined };

/** Its attempt ended. `reason` is null for an end that was seen. */
interface AttemptEnded {
  readonly kind: 'end';
  readonly reason: string | null;
  /** The end was not seen. */
  readonly isLost: boolean;
  /** `rq stop` ended it. */
  readonly isStopped: boolean;
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
      return state === 'running' ? afterLoss(job) : undefined;
    case 'start failed':
      if (!isOpen(job)) return undefined;
      return event.isFinal ? { state: 'dead', attempt: 'ends' } : RELEASED;
    case 'release':
      return isOpen(job) ? RELEASED : undefined;
    case 'resubmit':
      return state === 'finished' || state === 'dead' ? { ...REQUEUED, state: event.state ?? 'pending' } : undefined;
    case 'update':
      return state === 'pending' || state === 'holding' ? { state: event.state ?? state, attempt: 'stays' } : undefined;
  }
}

const REQUEUED: Transition = { state: 'pending', attempt: 'becomes earlier' };
const RELEASED: Transition = { state: 'pending', attempt: 'never began' };

function afterEnd(job: Subject, { reason, isLost, isStopped }: AttemptEnded): Transition | undefined {
  if (isOpen(job)) {
    if (isLost) return afterLoss(job);
    return isStopped && job.restartable ? REQUEUED : { state: reason === null ? 'finished' : 'dead', attempt: 'ends' };
  }
  if (job.state === 'pending' || job.state === 'holding') return undefined;
  // A feeder that was killed after its commit left the end with the runner, which reports it again.
  return isLost && job.restartable ? undefined : { state: job.state, attempt: 'stays' };
}

/** Whether the queue still accepts the end of the attempt. The host of a lost job may report it later. */
function isOpen({ state, isLost }: Subject): boolean {
  return state === 'running' || (state === 'dead' && isLost === true);
}

function afterLoss({ restartable, losses = 0 }: Subject): Transition {
  if (!restartable) return { state: 'dead', attempt: 'ends' };
  if (losses + 1 < MAX_LOSSES) return { ...REQUEUED, isLoss: true };
  return { state: 'dead', attempt: 'ends', reason: `lost ${MAX_LOSSES} times` };
}
