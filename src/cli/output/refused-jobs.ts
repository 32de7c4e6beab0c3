import { RqError } from '../../job/errors.ts';
import type { JobState } from '../../job/job.ts';

/** At most so many jids are named in an error. */
const NAMED = 20;

const ADVICE: Readonly<Record<JobState, (queue: string) => string>> = {
  running: (queue) =>
    `leave it out, wait until it ends, or kill it: rq ${queue} list JID says on which host, and its pid`,
  finished: (queue) => `resubmit it: rq ${queue} help resubmit`,
  dead: (queue) => `resubmit it: rq ${queue} help resubmit`,
  pending: (queue) => `change it with: rq ${queue} update`,
  holding: (queue) => `let it go with: rq ${queue} update JID state=pending`,
};

/**
 * The error for jobs that a command may not touch in their state. `others` says what became of the rest, where that is
 * not plain.
 */
export function refusal(
  attempted: string,
  refused: ReadonlyMap<JobState, readonly number[]>,
  queue: string,
  others = '',
): RqError {
  const parts = [...refused].map(([state, jids]) => `${names(jids)} ${jids.length === 1 ? 'is' : 'are'} ${state}`);
  const [first = 'running'] = refused.keys();
  const jids = [...refused.values()].flat();
  const message = `did not ${attempted} ${jids.length === 1 ? 'a job' : `${jids.length} jobs`}: ${parts.join('; ')}; ${others}${ADVICE[first](queue)}`;
  return new RqError('JOB_RUNNING', message, { facts: { refused: Object.fromEntries(refused) } });
}

function names(jids: readonly number[]): string {
  const more = jids.length > NAMED ? ` and ${jids.length - NAMED} more` : '';
  return `${jids.slice(0, NAMED).join(', ')}${more}`;
}
