import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAtomically } from '../files/create-atomically.ts';
import { giveToOwner } from '../files/give-to-owner.ts';
import { syncFile } from '../files/sync-file.ts';
import { createLayout } from '../layout.ts';
import { type Queue, READ_ONLY_MARK } from '../open.ts';
import type { Progress } from '../progress.ts';
import { copyDatabase } from './copy-database.ts';

/** Copies the database of a live queue into a new read-only queue. Returns its path. */
export async function snapshotQueue(queue: Queue, target: string, progress?: Progress): Promise<string> {
  return await createAtomically(target, `create a snapshot of ${queue.directory} in`, async (directory) => {
    createLayout(directory, 0);
    const mark = join(directory, READ_ONLY_MARK);
    writeFileSync(mark, `a snapshot of ${queue.directory}, created ${queue.clock.now()}\n`);
    await copyDatabase(queue, join(directory, 'db'), progress);
    giveToOwner(queue, directory);
    syncFile(mark);
    syncFile(directory);
  });
}
