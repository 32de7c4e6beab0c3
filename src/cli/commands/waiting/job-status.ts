import { hasFailed, type Outcome } from '../../../job/job.ts';
import { EXIT, statusOfSignal, WAIT_EXIT } from '../../output/exit-status.ts';

/**
 * The exit status of a command that waited for an ended job: that of the job, 128+N for the signal N, and 126 if the job is
 * dead, or if rq ended it and its exit status is 0.
 */
export function statusOfEnd(job: Outcome): number {
  if (!hasFailed(job)) return EXIT.done;
  if (job.state === 'dead') return WAIT_EXIT.noStatus;
  return (job.signal == null ? job.exit_status : statusOfSignal(job.signal)) || WAIT_EXIT.noStatus;
}
