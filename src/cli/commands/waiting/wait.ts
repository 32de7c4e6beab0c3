import { JOB_FIELDS } from '../../../job/job.ts';
import { MAX_WAIT_S } from '../../../job/limits.ts';
import { outcomesOf } from '../../../queue/jobs/select-outcomes.ts';
import { JidSet } from '../../../queue/wait/jid-set.ts';
import { durationOption } from '../../input/duration-option.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from '../jobs/selection-help.ts';
import { awaitJobs, endWithPipe } from './await-jobs.ts';
import { WAIT_STATUS } from './wait-help.ts';

export const spec: CommandSpec = {
  name: 'wait',
  summary: 'wait until jobs have ended',
  report: JOB_FIELDS,
  positionals: 'SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    { name: 'any', type: 'flag', help: 'Wait only until one of the jobs has ended, and print that job.' },
    {
      name: 'timeout',
      type: 'text',
      value: 'DURATION',
      help: 'Exit with status 124 if jobs have not ended after this time, such as 90, 30s, 5m, 2h or 1h30m.',
    },
    QUIET,
  ],
  description: [
    'Waits until all selected jobs have ended for good, and prints each job as it ends. ' +
      'A job that waits for a retry has not ended. ' +
      '"wait" does not wait for jobs that are submitted later. ' +
      'On a terminal, "wait" shows a progress bar on stderr. ' +
      'Ctrl-C ends "wait" and has no effect on the jobs.',
    WAIT_STATUS,
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q wait 42 --quiet && echo done', 'wait for one job, and continue only if it was successful'],
    ["rq q submit 'sort big.txt' | rq q wait --fields jid,elapsed -", 'submit a job and wait for it'],
    ['rq q wait 2-5 --any --quiet', 'wait until the first of four jobs has ended'],
    ['rq q wait tag=x --quiet --timeout 2h || echo "status $?"', 'wait for tagged jobs, but at most two hours'],
  ],
};

/** Waits for the selected jobs. Throws NO_JOB if none matches, before anything is printed. */
export async function run(call: CommandCall): Promise<number> {
  const timeoutS = durationOption(call, 'timeout', { max: MAX_WAIT_S });
  const timeoutMs = timeoutS === undefined ? undefined : timeoutS * 1000;
  const selection = await requireSelection(call);
  return await useQueue(call, async (queue) => {
    const jids = new JidSet();
    for await (const jobs of outcomesOf(queue, selection)) for (const { jid } of jobs) jids.append(jid);
    if (jids.size === 0) throw noJob(call, queue.directory);
    const { options } = call;
    const print = !options.flag('quiet');
    return await endWithPipe(() => awaitJobs(call, queue, jids, { any: options.flag('any'), timeoutMs, print }));
  });
}
