import { RqError } from '../../job/errors.ts';
import { deleteJobs } from '../../queue/delete.ts';
import type { ModeCall } from '../mode-call.ts';
import { jobFields, printJobs } from '../print.ts';
import { isEmptySelection } from '../selection.ts';
import { readSelection } from '../selection-input.ts';
import { useQueue } from '../use-queue.ts';

/** At most so many jids are named in an error. */
const NAMED = 20;

/** Deletes the selected jobs and prints them. Throws JOB_RUNNING after that if any runs, NO_JOB if none matched. */
export async function run(call: ModeCall): Promise<undefined> {
  jobFields(call);
  const selection = await readSelection(call, true);
  if (isEmptySelection(selection)) {
    throw new RqError('USAGE', 'delete what? Name jobs (42, 10-20, dead, tag=x), or all; rq help delete says more');
  }
  await useQueue(call, async (queue) => {
    const { deleted, running } = await deleteJobs(queue, selection);
    if (!call.options.flag('quiet')) await printJobs(call, [deleted]);
    if (running.length > 0) throw runningError(running, call.queue);
    if (deleted.length > 0) return;
    throw new RqError(
      'NO_JOB',
      `nothing deleted: no job in ${queue.directory} matches ${call.words.join(' ') || 'stdin'}`,
    );
  });
}

function runningError(running: readonly number[], queue: string): RqError {
  const more = running.length > NAMED ? ` and ${running.length - NAMED} more` : '';
  const what = running.length === 1 ? 'a running job' : 'running jobs';
  const message = `did not delete ${what}: ${running.slice(0, NAMED).join(', ')}${more}; wait until they end, or stop the feeder with: rq ${queue} stop`;
  return new RqError('JOB_RUNNING', message, { facts: { running } });
}
