import { rotateQueue } from '../../../queue/archive/rotate.ts';
import { printAfter, printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import { warnRemainingFiles } from '../../output/remaining-files.ts';
import { timeStamp } from '../../output/time-stamp.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'rotate',
  short: ['R'],
  summary: 'move finished and dead jobs out of the queue',
  positionals: '[DIR|FILE.tgz]',
  maxPositionals: 1,
  options: [],
  report: ['rotation', 'jobs'],
  description: [
    'Moves finished and dead jobs, with their files, to an archive, and prints the path of the archive. ' +
      'If the specified name ends in ".tgz" or ".tar.gz", the archive is a compressed file. ' +
      'With any other name, the archive is a directory, which you can read like a queue. ' +
      'The default name is the path of the queue, followed by the time and ".tgz". ' +
      '"rotate" never overwrites a file.',
    'rq completes and syncs the archive before it removes any job from the queue. ' +
      'If rq is killed, each job is either in the queue or in the archive, and the next "rotate" completes the rotation.',
  ],
  examples: [
    ['rq q rotate', 'move ended jobs to a .tgz file beside the queue'],
    ['rq q rotate old', 'move ended jobs to a directory that "rq old list" can read'],
  ],
};

/** Moves ended jobs to an archive, and prints its path, or null if no job has ended. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = call.positionals[0] ?? `${queue.directory}.${timeStamp(queue.clock.now())}.tgz`;
    const progress = progressOf(call, 'rotated');
    const { path, jobs, remaining, unfinished } = await progress.during(rotateQueue(queue, target, progress.report));
    if (path === undefined) call.diagnostics.info(`nothing to rotate: no job in ${queue.directory} has ended`);
    await printAfter(`rotated ${jobs} jobs to ${path ?? 'nowhere'}`, () =>
      printReport(call, { rotation: path ?? null, jobs }),
    );
    warnRemainingFiles(call, remaining);
    for (const { path, reason } of unfinished) {
      call.diagnostics.warn(
        `the rotation to ${path} is not finished, and the files of its jobs stay in the queue: ${reason}`,
      );
    }
  });
}
