import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../job/crash-points.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../store/rotations.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';
import { PARTIAL } from './rotation-partials.ts';
import { removePaths } from './stored-files.ts';
import { syncFile } from './sync-file.ts';
import { transaction } from './transaction.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A file of a job, as a queue names it; nothing else is ever removed. */
const JOB_FILE = /^(?:stdin|stdout|stderr|data)\/\d+(?:\.[0-9a-f]+)?$/;

/** Brings committed rotations to their end: gives each its name, then removes the files of its jobs from the queue. */
export async function finishRotations(queue: Queue): Promise<void> {
  for (const rotation of await read(queue, unfinishedRotations)) {
    // A host that mounts the place elsewhere, or not at all, leaves it to others.
    if (!existsSync(dirname(rotation.path))) continue;
    // What a row names is moved and removed: whoever can write to the queue would choose what.
    if (!isOfRotation(rotation) || rotation.files === undefined) throw notOurs(queue, rotation.partial);
    putInPlace(rotation);
    crashAt('rotation-placed');
    const names = rotation.files.filter((name) => JOB_FILE.test(name));
    await removePaths(names.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
  }
}

/** Whether both paths are as `rotate` made them: the complete rotation in a temporary directory beside its place. */
function isOfRotation({ id, partial, path }: CommittedRotation): boolean {
  const directory = dirname(path);
  const isName = path === resolve(path) && partial === resolve(partial);
  return isName && UUID.test(id) && dirname(partial) === join(directory, `${PARTIAL}${id}`);
}

function notOurs({ directory }: Queue, partial: string): RqError {
  return new RqError(
    'QUEUE_UNSAFE',
    `cannot finish a rotation of ${directory}: its record is none that rotate makes (it names ${partial}); remove it from the table rotations with: rq ${directory} execute`,
  );
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
