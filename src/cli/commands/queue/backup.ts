import { backUpQueue } from '../../../queue/archive/backup.ts';
import { printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { timeStamp } from '../../output/time-stamp.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'backup',
  short: ['B', 'b'],
  summary: 'copy the whole queue',
  positionals: '[DIR]',
  maxPositionals: 1,
  options: [],
  report: ['path', 'jobs', 'files'],
  description: [
    'Copies the database and the files of all jobs to a directory, and prints the path of the copy. ' +
      'The queue can be in use during the backup. You can use the copy in place of the queue. ' +
      'The default directory is the path of the queue, followed by the time and ".bak". ' +
      '"backup" never overwrites a file.',
  ],
  examples: [
    ['rq q backup', 'copy the queue to a directory beside it'],
    ['rq q backup /backup/q', 'copy the queue to another disk'],
  ],
};

/** Copies the whole queue, and prints the path of the copy. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = call.positionals[0] ?? `${queue.directory}.${timeStamp(queue.clock.now())}.bak`;
    const progress = progressOf(call, 'copied files');
    await printReport(call, { ...(await progress.during(backUpQueue(queue, target, progress.report))) });
  });
}
