import { hasFailed, type Job } from '../../job.ts';
import { durationText } from '../../quantities/duration.ts';
import type { CourseFacts, Parent, QueueFacts } from './facts.ts';
import { clockTime } from './phrases.ts';
import { silenceText } from './verdicts.ts';

type End = Pick<Parent, 'exit_status' | 'signal' | 'reason' | 'runner' | 'finished' | 'state'>;

/** Where and since when a job runs, or how it ended. */
export function courseSentences(
  { job, kill, diedOf, isLost }: CourseFacts,
  { hosts, now }: Pick<QueueFacts, 'hosts' | 'now'>,
): string[] {
  if (job.state === 'running') {
    const host = hosts.find((each) => each.host === job.runner);
    return [
      `running on ${job.runner} since ${clockTime(job.started, now)}`,
      ...(job.paused === true ? ['paused'] : []),
      ...(kill === undefined ? [] : [`killed by ${kill.by} at ${clockTime(kill.at, now)}; its host ends it`]),
      ...(host === undefined || host.isFeeding ? [] : [`${host.host} ${silenceText(host, now)}`]),
    ];
  }
  const parent = diedOf === undefined ? [] : [`${diedOf.jid} ${endText(diedOf, now)}`];
  const lost = isLost ? [`if ${job.runner} comes back, the real end of the job replaces this state`] : [];
  return [`${endText(job, now)}${details(job)}`, ...parent, ...lost];
}

/** `failed with exit status 3 on n2 at 10:03`; with the reason, if there is one. */
function endText(end: End, now: string): string {
  const at = end.finished == null ? '' : ` at ${clockTime(end.finished, now)}`;
  if (end.state === 'dead') return `dead since ${clockTime(end.finished ?? now, now)}: ${end.reason}`;
  const how =
    end.exit_status == null
      ? `ended by ${end.signal ?? 'an unknown signal'}`
      : `${hasFailed(end) ? 'failed' : 'finished'} with exit status ${end.exit_status}`;
  const reason = end.reason == null ? '' : `: ${end.reason}`;
  return `${how}${end.runner === null ? '' : ` on ${end.runner}`}${at}${reason}`;
}

/** How long the last attempt ran, and its number if it was not the first. */
function details(job: Exclude<Job, { state: 'pending' | 'holding' | 'running' }>): string {
  const { attempt, elapsed } = job;
  const parts = [
    ...(elapsed === null
      ? []
      : [`after ${durationText(elapsed < 10 ? Number(elapsed.toFixed(1)) : Math.round(elapsed))}`]),
    ...(attempt > 1 ? [`in attempt ${attempt}`] : []),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
