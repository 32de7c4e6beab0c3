import type { JobState } from './states.ts';

/** An event of a job, or a request for it. */
export type JobEvent =
  /** A feeder takes it. */
  | { readonly kind: 'claim' }
  | AttemptEnded
  /** Another host declares its host lost. */
  | { readonly kind: 'host lost' }
  /** Its attempt never started. */
  | { readonly kind: 'release' }
  | { readonly kind: 'resubmit' | 'update'; readonly state?: 'pending' | 'holding' | undefined };

/** Its attempt ended. `isLost`: the end was not seen, or was forced. `reason` is null for an end that was seen. */
interface AttemptEnded {
  readonly kind: 'end';
  readonly reason: string | null;
  readonly isLost: boolean;
}

export interface Transition {
  readonly state: JobState;
  /**
   * `begins` and `ends`: the row of the job shows it. `becomes earlier`: it moves to the history of the job, and the row
   * shows no attempt. `never began`: the row shows no attempt, and its number is used again. `stays`: the row keeps what
   * it shows.
   */
  readonly attempt: 'begins' | 'ends' | 'becomes earlier' | 'never began' | 'stays';
}

interface Subject {
  readonly state: JobState;
  readonly restartable: boolean;
}

/** The next state of a job; undefined where the event does not apply to a job in its state, which then stays as it is. */
export function nextState(job: Subject, event: JobEvent): Transition | undefined {
  const { state } = job;
  switch (event.kind) {
    case 'claim':
      return state === 'pending' ? { state: 'running', attempt: 'begins' } : undefined;
    case 'end':
      return afterEnd(job, event);
    case 'host lost':
      if (state !== 'running') return undefined;
      return job.restartable ? REQUEUED : { state: 'dead', attempt: 'ends' };
    case 'release':
      // The host of a job that was declared lost can know that it never started.
      return state === 'running' || state === 'dead' ? RELEASED : undefined;
    case 'resubmit':
      return state === 'finished' || state === 'dead' ? { ...REQUEUED, state: event.state ?? 'pending' } : undefined;
    case 'update':
      return state === 'pending' || state === 'holding' ? { state: event.state ?? state, attempt: 'stays' } : undefined;
  }
}

const REQUEUED: Transition = { state: 'pending', attempt: 'becomes earlier' };
const RELEASED: Transition = { state: 'pending', attempt: 'never began' };

function afterEnd({ state, restartable }: Subject, { reason, isLost }: AttemptEnded): Transition | undefined {
  const isRetried = isLost && restartable;
  switch (state) {
    case 'running':
    // A dead job was declared lost: a later report of its host replaces that.
    case 'dead':
      return isRetried ? REQUEUED : { state: reason === null ? 'finished' : 'dead', attempt: 'ends' };
    case 'finished':
      // A feeder that was killed after its commit left the end with the runner, which reports it again.
      return isRetried ? undefined : { state, attempt: 'stays' };
    case 'pending':
    case 'holding':
      return undefined;
  }
}
