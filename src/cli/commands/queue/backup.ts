import { backUpQueue } from '../../../queue/archive/backup.ts';
import { printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { timeStamp } from '../../output/time-stamp.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Copies the whole queue and prints where to. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = call.positionals[0] ?? `${queue.directory}.${timeStamp(queue.clock.now())}.bak`;
    const progress = progressOf(call, 'copied files');
    await printReport(call, { ...(await progress.during(backUpQueue(queue, target, progress.report))) });
  });
}
