import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncFile } from '../files/sync-file.ts';
import { layOut } from '../layout.ts';
import { type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { copyDatabase } from './copy-database.ts';
import { makeWhole } from './copy-place.ts';

/** Makes a consistent copy of a live queue's database, as a queue that can only be read. Gives its path. */
export async function snapshotQueue(queue: Queue, target: string, progress?: Progress): Promise<string> {
  return await makeWhole(target, `make a snapshot of ${queue.directory}`, async (directory) => {
    layOut(directory, 0);
    const mark = join(directory, READ_ONLY_MARK);
    writeFileSync(mark, `a snapshot of ${queue.directory}, made ${queue.clock.now()}\n`);
    await copyDatabase(queue, join(directory, 'db'), progress);
    syncFile(mark);
    syncFile(directory);
  });
}
