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
    'Copies the database and the files of all jobs to a directory while the queue is in use. The copy can replace the ' +
      'queue. Prints the path of the copy. The default is the path of the queue with the time and .bak. Never overwrites a file.',
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
