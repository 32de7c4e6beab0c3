import { rotateQueue } from '../../../queue/archive/rotate.ts';
import { printAfter, printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { warnRemainingFiles } from '../../output/remaining-files.ts';
import { timeStamp } from '../../output/time-stamp.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Moves what has ended out of the queue, and prints where to; null where nothing had ended. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = call.positionals[0] ?? `${queue.directory}.${timeStamp(queue.clock.now())}.tgz`;
    const progress = progressOf(call, 'rotated');
    const { path, jobs, remaining } = await progress.during(rotateQueue(queue, target, progress.report));
    if (path === undefined) call.diagnostics.info(`no job of ${queue.directory} has ended: nothing to rotate`);
    await printAfter(`rotated ${jobs} jobs to ${path ?? 'nowhere'}`, () =>
      printReport(call, { rotation: path ?? null, jobs }),
    );
    warnRemainingFiles(call, remaining);
  });
}
