import { basename, resolve } from 'node:path';
import { backUpQueue } from '../../queue/backup.ts';
import { snapshotQueue } from '../../queue/snapshot.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';
import { progressOf } from '../progress.ts';
import { timeStamp } from '../time-stamp.ts';
import { useQueue } from '../use-queue.ts';

/** Copies the database (`snapshot`) or the whole queue (`backup`), and prints where to. */
export async function run(call: ModeCall): Promise<undefined> {
  const [named] = call.words;
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, call.mode === 'backup' ? 'copied files' : 'copied pages');
    if (call.mode === 'backup') {
      const target = named ?? `${queue.directory}.${timeStamp(queue.clock.now())}.bak`;
      await printReport(call, { ...(await progress.during(backUpQueue(queue, target, progress.report))) });
    } else {
      const target = resolve(named ?? `${basename(queue.directory)}.snapshot`);
      await printReport(call, { path: await progress.during(snapshotQueue(queue, target, progress.report)) });
    }
  });
}
