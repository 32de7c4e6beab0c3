import { basename, resolve } from 'node:path';
import { snapshotQueue } from '../../../queue/archive/snapshot.ts';
import { printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'snapshot',
  short: ['S'],
  summary: 'copy the database for reading',
  positionals: '[DIR]',
  maxPositionals: 1,
  options: [],
  report: ['path'],
  description: [
    'Creates a consistent copy of the database, checks the copy, and prints its path. ' +
      'The queue can be in use during the snapshot. The copy is a read-only queue. ' +
      'The default path is the name of the queue, followed by ".snapshot", in the current directory. ' +
      '"snapshot" never overwrites a file.',
  ],
  examples: [
    ['rq q snapshot', 'copy the database to ./q.snapshot'],
    ['rq q snapshot /tmp/look', 'create a copy that "rq /tmp/look list" can read'],
  ],
};

/** Copies the database, and prints the path of the copy. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = resolve(call.positionals[0] ?? `${basename(queue.directory)}.snapshot`);
    const progress = progressOf(call, 'copied pages');
    await printReport(call, { path: await progress.during(snapshotQueue(queue, target, progress.report)) });
  });
}
