import { existsSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../job/crash-points.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../store/rotations.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';
import { PARTIAL, removePartial } from './rotation-partials.ts';
import { removePaths } from './stored-files.ts';
import { syncFile } from './sync-file.ts';
import { transaction } from './transaction.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A file of a job, as a queue names it; nothing else is ever removed. */
const JOB_FILE = /^(?:stdin|stdout|stderr|data)\/\d+(?:\.[0-9a-f]+)?$/;

/**
 * Brings committed rotations to their end: gives each its name, then removes the files of its jobs from the queue. The
 * temporary directory stays as long as the record: by it a host knows that it sees the place as `rotate` did. One that
 * mounts something else there, or nothing, or may not write there, leaves the rotation to others.
 */
export async function finishRotations(queue: Queue): Promise<void> {
  for (const rotation of await read(queue, unfinishedRotations)) {
    // What a row names is moved and removed: whoever can write to the queue would choose what.
    if (!isOfRotation(rotation) || rotation.files === undefined) throw notOurs(queue, rotation.partial);
    if (!isInPlace(rotation)) continue;
    crashAt('rotation-placed');
    const names = rotation.files.filter((name) => JOB_FILE.test(name));
    await removePaths(names.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
    crashAt('rotation-finished');
    removePartial(dirname(rotation.partial));
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

/** Gives a rotation its name if it has none yet; false where that is for others to do. */
function isInPlace({ partial, path }: CommittedRotation): boolean {
  if (!existsSync(dirname(partial))) return false;
  try {
    renameSync(partial, free(path));
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return false;
    if (code !== 'ENOENT') throw error;
    // Another has done it, or it was done before a kill; or the place is out of sight since a moment ago.
    if (!existsSync(dirname(partial))) return false;
  }
  syncFile(dirname(path));
  return true;
}

/** The path, or, where something came to be there since, one beside it: nothing is overwritten. */
function free(path: string): string {
  for (let number = 2, name = path; ; number++) {
    if (!existsSync(name)) return name;
    name = `${path}.${number}`;
  }
}
