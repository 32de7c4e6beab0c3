import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crashAt } from '../job/crash-points.ts';
import { errorCode } from '../job/errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../store/rotations.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';
import { removePaths } from './stored-files.ts';
import { syncFile } from './sync-file.ts';
import { transaction } from './transaction.ts';

/** A file of a job, as a queue names it; nothing else is ever removed. */
const JOB_FILE = /^(?:stdin|stdout|stderr|data)\/\d+(?:\.[0-9a-f]+)?$/;

/** Brings committed rotations to their end: gives each its name, then removes the files of its jobs from the queue. */
export async function finishRotations(queue: Queue): Promise<void> {
  for (const rotation of await read(queue, unfinishedRotations)) {
    // A host that mounts the place elsewhere, or not at all, leaves it to others.
    if (!existsSync(dirname(rotation.path))) continue;
    putInPlace(rotation);
    crashAt('rotation-placed');
    const names = rotation.files.filter((name) => JOB_FILE.test(name));
    await removePaths(names.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
  }
}

function putInPlace({ partial, path }: CommittedRotation): void {
  try {
    renameSync(partial, free(path));
    syncFile(dirname(path));
  } catch (error) {
    // Another has done it, or it was done before a kill.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  rmSync(dirname(partial), { recursive: true, force: true });
}

/** The path, or, where something came to be there since, one beside it: nothing is overwritten. */
function free(path: string): string {
  for (let number = 2, name = path; ; number++) {
    if (!existsSync(name)) return name;
    name = `${path}.${number}`;
  }
}
