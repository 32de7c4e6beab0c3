import { basename, resolve } from 'node:path';
import { snapshotQueue } from '../../../queue/archive/snapshot.ts';
import { printReport } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Copies the database, to be read, and prints where to. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    const target = resolve(call.positionals[0] ?? `${basename(queue.directory)}.snapshot`);
    const progress = progressOf(call, 'copied pages');
    await printReport(call, { path: await progress.during(snapshotQueue(queue, target, progress.report)) });
  });
}
