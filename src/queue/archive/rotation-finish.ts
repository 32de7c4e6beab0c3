import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { fileFault } from '../../job/file-errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../../store/rotations.ts';
import { removePaths, removeRenamed } from '../files/remove-paths.ts';
import { isJobFileName } from '../files/stored-names.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';
import { PARTIAL } from './rotation-partials.ts';
import { findPlaced, placeRotation } from './rotation-place.ts';

type Place = { readonly path: string } | { readonly reason: string };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface FinishedRotation {
  readonly id: string;
  /** The path of the rotation: the requested one, or one beside it if that was taken. */
  readonly path: string;
  /** Files of its jobs that could not be removed from the queue. */
  readonly remaining: readonly string[];
}

/** A committed rotation that is not in place yet. The files of its jobs stay in the queue. */
export interface UnfinishedRotation {
  readonly id: string;
  readonly path: string;
  /** Why it is not in place, and what to do. */
  readonly reason: string;
}

export interface Finish {
  readonly finished: readonly FinishedRotation[];
  readonly unfinished: readonly UnfinishedRotation[];
}

/**
 * Finishes committed rotations: moves each to its path, then removes the files of its jobs from the queue. The temporary
 * directory stays as long as the record, and proves that this host sees the same file system as the host that rotated. A
 * host that does not see it, or may not write there, leaves the rotation to other hosts. A rotation that was removed from
 * the temporary directory stays unfinished.
 */
export async function finishRotations(queue: Queue): Promise<Finish> {
  const finished: FinishedRotation[] = [];
  const unfinished: UnfinishedRotation[] = [];
  for (const rotation of await read(queue, unfinishedRotations)) {
    // The paths in a row are moved and removed: the writer of a hostile row could choose them.
    if (!isValidRecord(rotation) || rotation.files === undefined) throw invalidRecord(queue, rotation.partial);
    const place = moveIntoPlace(rotation, queue.directory);
    if ('reason' in place) {
      unfinished.push({ id: rotation.id, path: rotation.path, ...place });
      continue;
    }
    crashAt('rotation-placed');
    const files = rotation.files.filter(isJobFileName);
    const remaining = await removePaths(files.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
    crashAt('rotation-finished');
    await removeRenamed(dirname(rotation.partial));
    finished.push({ id: rotation.id, ...place, remaining });
  }
  return { finished, unfinished };
}

/** Whether the rotation is in a temporary directory of its own, beside its path, as `rotate` makes it. */
function isValidRecord({ id, partial, path }: CommittedRotation): boolean {
  const areNormal = path === resolve(path) && partial === resolve(partial);
  return areNormal && UUID.test(id) && dirname(partial) === join(dirname(path), `${PARTIAL}${id}`);
}

function invalidRecord({ directory }: Queue, partial: string): RqError {
  return new RqError(
    'QUEUE_UNSAFE',
    `cannot finish a rotation of ${directory}: rotate did not write the record that names ${partial}; remove the record from the table "rotations" with: rq ${directory} execute`,
  );
}

/** Moves a rotation to its path if that has not been done. Returns the path, or why it cannot be moved. */
function moveIntoPlace({ id, partial, path }: CommittedRotation, queueDirectory: string): Place {
  const temporary = dirname(partial);
  const discard = `run: rq ${queueDirectory} execute "delete from rotations where id = '${id}'"`;
  const hidden = {
    reason: `${temporary} does not exist on this host; run rotate on a host that has it, or if it was removed, ${discard}`,
  };
  if (!existsSync(temporary)) return hidden;
  try {
    const place = { path: placeRotation(partial, path) };
    syncFile(dirname(path));
    return place;
  } catch (error) {
    const { code, reason } = fileFault(error);
    if (code === 'NOT_ALLOWED') return { reason: `cannot move ${partial}: ${reason}` };
    if (errorCode(error) !== 'ENOENT') throw placeError(partial, path, error);
  }
  // Another process moved it, or a killed one did; or it was removed; or the directory was unmounted a moment ago.
  if (!existsSync(temporary)) return hidden;
  const placed = findPlaced(partial, path);
  if (placed !== undefined) return { path: placed };
  return { reason: `${partial} was removed or moved away; move it back and run rotate again, or ${discard}` };
}

function placeError(partial: string, path: string, error: unknown): RqError {
  const { code, reason } = fileFault(error);
  const message = `cannot finish the rotation to ${path}: ${reason}; the complete rotation is in ${partial}; run rotate again`;
  return new RqError(code, message, { cause: error });
}
