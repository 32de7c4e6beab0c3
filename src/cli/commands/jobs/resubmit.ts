import type { JobChange } from '../../../queue/jobs/job-change.ts';
import { resubmitJobs } from '../../../queue/jobs/resubmit.ts';
import { withGivenStdin } from '../../input/job-stdin.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { entryFromOptions, readablePath, workingDirectory } from '../../input/submission.ts';
import { reportChanged } from '../../output/changed-jobs.ts';
import { jobFields } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Puts the selected finished and dead jobs back to wait, changed as the options say, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const change = changeOf(call);
  await withGivenStdin(call, call.positionals.length === 0 || call.positionals.includes('-'), async (stdin) => {
    const selection = await requireSelection(call);
    await useQueue(call, async (queue) => {
      const progress = progressOf(call, 'resubmitted');
      const whole = stdin === undefined ? change : { ...change, stdin: fileOf(call, stdin, 'stdin') };
      await reportChanged(call, queue, await progress.during(resubmitJobs(queue, selection, whole, progress.report)));
    });
  });
}

function changeOf(call: CommandCall): JobChange {
  const { data, ...entry } = entryFromOptions(call);
  return {
    ...entry,
    ...(data === undefined ? {} : { data: fileOf(call, data, 'data') }),
    ...(call.options.flag('stage') ? { state: 'holding' } : {}),
  };
}

function fileOf(call: CommandCall, path: string, field: 'stdin' | 'data'): string {
  return readablePath(
    path,
    () => workingDirectory(call.environment),
    field,
    () => 'cannot resubmit',
  );
}
