import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../../store/rotations.ts';
import { removePaths } from '../files/remove-paths.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';
import { PARTIAL, removePartial } from './rotation-partials.ts';
import { placeRotation } from './rotation-place.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A file of a job, as a queue names it; nothing else is ever removed. */
const JOB_FILE = /^(?:stdin|stdout|stderr|data)\/\d+(?:\.[0-9a-f]+)?$/;

export interface FinishedRotation {
  readonly id: string;
  /** Where it is: beside the place that was asked for if something came to be there. */
  readonly path: string;
  /** Files of its jobs that could not be removed from the queue. */
  readonly stayed: readonly string[];
}

/**
 * Brings committed rotations to their end: gives each its name, then removes the files of its jobs from the queue. The
 * temporary directory stays as long as the record: by it a host knows that it sees the place as `rotate` did. One that
 * mounts something else there, or nothing, or may not write there, leaves the rotation to others. Gives what it
 * finished.
 */
export async function finishRotations(queue: Queue): Promise<FinishedRotation[]> {
  const finished: FinishedRotation[] = [];
  for (const rotation of await read(queue, unfinishedRotations)) {
    // What a row names is moved and removed: whoever can write to the queue would choose what.
    if (!isOfRotation(rotation) || rotation.files === undefined) throw notOurs(queue, rotation.partial);
    const path = putInPlace(rotation);
    if (path === undefined) continue;
    crashAt('rotation-placed');
    const files = rotation.files.filter((name) => JOB_FILE.test(name));
    const stayed = await removePaths(files.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
    crashAt('rotation-finished');
    await removePartial(dirname(rotation.partial));
    finished.push({ id: rotation.id, path, stayed });
  }
  return finished;
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

/** Gives a rotation its name if it has none yet; undefined where that is for others to do. */
function putInPlace({ partial, path }: CommittedRotation): string | undefined {
  if (!existsSync(dirname(partial))) return undefined;
  let name = path;
  try {
    name = placeRotation(partial, path);
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return undefined;
    if (code !== 'ENOENT') throw placeError(partial, path, error);
    // Another has done it, or it was done before a kill; or the place is out of sight since a moment ago.
    if (!existsSync(dirname(partial))) return undefined;
  }
  syncFile(dirname(path));
  return name;
}

function placeError(partial: string, path: string, error: unknown): RqError {
  const isFull = ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '');
  const why = isFull ? 'the disk or your quota is full' : errorMessage(error);
  return new RqError(
    isFull ? 'NO_SPACE' : 'IO',
    `cannot finish the rotation to ${path}: ${why}; its jobs are whole in ${partial}: rotate again`,
    { cause: error, facts: { path } },
  );
}
