import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../log/make-directories.ts';
import { SCHEMA } from '../store/schema.ts';
import { targetError } from './files/create-atomically.ts';
import { giveToOwner } from './files/give-to-owner.ts';
import type { Queue } from './open.ts';

/** The folders of a queue. */
export const FOLDERS = ['nodes', 'bin', 'stdin', 'stdout', 'stderr', 'data', 'script'] as const;

/** Makes the folders that a queue of an earlier version lacks, with the mode of the queue's directory. Throws NOT_ALLOWED. */
export function addFolders(queue: Queue): void {
  const mode = statSync(queue.directory).mode & 0o7777;
  for (const path of FOLDERS.map((folder) => join(queue.directory, folder)).filter((each) => !existsSync(each))) {
    try {
      makeDirectories(path);
      chmodSync(path, mode);
      giveToOwner(queue, path);
    } catch (error) {
      throw targetError(error, path, 'create the directory');
    }
  }
}

/** Makes everything in a queue's directory except the database. `generation` is that of the lease, which is free. */
export function createLayout(directory: string, generation: number): void {
  for (const folder of FOLDERS) mkdirSync(join(directory, folder));
  mkdirSync(join(directory, `lease.${generation}.free`));
  writeFileSync(join(directory, 'db.schema'), SCHEMA.trimStart());
}
