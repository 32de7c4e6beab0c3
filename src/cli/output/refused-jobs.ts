import { RqError } from '../../job/errors.ts';
import type { JobState } from '../../job/job.ts';
import type { CommandCall } from '../parse/command-call.ts';

/** How many jids an error lists for each state. */
const MAX_LISTED = 20;

/** Advice for a job in a state that the command cannot process; QUEUE stands for the queue's path. */
const ADVICE: Readonly<Record<JobState, string>> = {
  running: 'omit the job, wait until it ends, or end it with: rq QUEUE kill JID',
  finished: 'resubmit it with: rq QUEUE resubmit JID',
  dead: 'resubmit it with: rq QUEUE resubmit JID',
  pending: 'change it with: rq QUEUE update JID KEY=VALUE',
  holding: 'release it with: rq QUEUE release JID',
};

/** The error for jobs that a command cannot process in their state. `outcome` says what happened to the others. */
export function refusedJobs(
  { command, queue }: CommandCall,
  refused: ReadonlyMap<JobState, readonly number[]>,
  outcome = '',
): RqError {
  const parts = [...refused].map(([state, jids]) => `${jidList(jids)} ${jids.length === 1 ? 'is' : 'are'} ${state}`);
  const [first = 'running'] = refused.keys();
  const advice = ADVICE[first].replace('QUEUE', () => queue);
  const facts = { refused: Object.fromEntries(refused) };
  return new RqError('JOB_RUNNING', `cannot ${command}: ${parts.join('; ')}; ${outcome}${advice}`, { facts });
}

function jidList(jids: readonly number[]): string {
  const more = jids.length > MAX_LISTED ? ` and ${jids.length - MAX_LISTED} more` : '';
  return `${jids.length === 1 ? 'job' : 'jobs'} ${jids.slice(0, MAX_LISTED).join(', ')}${more}`;
}
