import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { fileFault } from '../../job/file-errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../../store/rotations.ts';
import { removePaths } from '../files/remove-paths.ts';
import { isJobFileName } from '../files/stored-names.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';
import { PARTIAL, removePartial } from './rotation-partials.ts';
import { placeRotation } from './rotation-place.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface FinishedRotation {
  readonly id: string;
  /** The path of the rotation: the requested one, or one beside it if that was taken. */
  readonly path: string;
  /** Files of its jobs that could not be removed from the queue. */
  readonly remaining: readonly string[];
}

/**
 * Finishes committed rotations: moves each to its path, then removes the files of its jobs from the queue. The temporary
 * directory stays as long as the record, and proves that this host sees the same file system as the host that rotated. A
 * host that does not see it, or may not write there, leaves the rotation to other hosts.
 */
export async function finishRotations(queue: Queue): Promise<FinishedRotation[]> {
  const finished: FinishedRotation[] = [];
  for (const rotation of await read(queue, unfinishedRotations)) {
    // The paths in a row are moved and removed: the writer of a hostile row could choose them.
    if (!isValidRecord(rotation) || rotation.files === undefined) throw invalidRecord(queue, rotation.partial);
    const path = moveIntoPlace(rotation);
    if (path === undefined) continue;
    crashAt('rotation-placed');
    const files = rotation.files.filter(isJobFileName);
    const remaining = await removePaths(files.map((name) => join(queue.directory, name)));
    crashAt('rotation-files-removed');
    await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
    crashAt('rotation-finished');
    await removePartial(dirname(rotation.partial));
    finished.push({ id: rotation.id, path, remaining });
  }
  return finished;
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

/** Moves a rotation to its path if that has not been done. Undefined if another host has to do it. */
function moveIntoPlace({ partial, path }: CommittedRotation): string | undefined {
  if (!existsSync(dirname(partial))) return undefined;
  let placed = path;
  try {
    placed = placeRotation(partial, path);
  } catch (error) {
    if (fileFault(error).code === 'NOT_ALLOWED') return undefined;
    if (errorCode(error) !== 'ENOENT') throw placeError(partial, path, error);
    // Another process moved it, or a killed one did; or the directory was unmounted a moment ago.
    if (!existsSync(dirname(partial))) return undefined;
  }
  syncFile(dirname(path));
  return placed;
}

function placeError(partial: string, path: string, error: unknown): RqError {
  const { code, reason } = fileFault(error);
  const message = `cannot finish the rotation to ${path}: ${reason}; the complete rotation is in ${partial}; run rotate again`;
  return new RqError(code, message, { cause: error });
}
