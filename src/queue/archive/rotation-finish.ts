import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { fileFault } from '../../job/file-errors.ts';
import { type CommittedRotation, finishRotation, unfinishedRotations } from '../../store/rotations.ts';
import { type RemainingPaths, removePaths, removeRenamed } from '../files/remove-paths.ts';
import { isJobFileName } from '../files/stored-names.ts';
import { syncFile } from '../files/sync-file.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';
import { listPath, openFileList } from './rotation-files.ts';
import { PARTIAL } from './rotation-partials.ts';
import { findPlaced, placeRotation } from './rotation-place.ts';

type Place = { readonly path: string } | { readonly reason: string };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A committed rotation that is not in place yet, or whose list of files is missing. The files stay in the queue. */
export interface UnfinishedRotation {
  readonly id: string;
  readonly path: string;
  /** Why it is not finished, and what to do. */
  readonly reason: string;
}

export interface Finish {
  /** The paths of the rotations by their ids: the requested one, or one beside it if that was taken. */
  readonly finished: ReadonlyMap<string, string>;
  readonly unfinished: readonly UnfinishedRotation[];
}

/**
 * Finishes committed rotations: moves each to its path, then removes the files of its jobs from the queue. Adds the files
 * that cannot be removed to `remaining`. The temporary directory stays as long as the record, and proves that this host
 * sees the same file system as the host that rotated. A host that does not see it, or may not write there, leaves the
 * rotation to other hosts. A rotation stays unfinished if it, or the list of its files, was removed from the temporary
 * directory.
 */
export async function finishRotations(queue: Queue, remaining: RemainingPaths): Promise<Finish> {
  const finished = new Map<string, string>();
  const unfinished: UnfinishedRotation[] = [];
  for (const rotation of await read(queue, unfinishedRotations)) {
    // The paths in a row are moved and removed: the writer of a hostile row could choose them.
    if (!isValidRecord(rotation) || rotation.files === undefined) throw invalidRecord(queue, rotation.partial);
    const result = await finish(queue, rotation, remaining);
    if ('reason' in result) unfinished.push({ id: rotation.id, path: rotation.path, ...result });
    else finished.set(rotation.id, result.path);
  }
  return { finished, unfinished: await stillCommitted(queue, unfinished) };
}

async function finish(queue: Queue, rotation: CommittedRotation, remaining: RemainingPaths): Promise<Place> {
  const place = moveIntoPlace(rotation, queue.directory);
  if ('reason' in place) return place;
  crashAt('rotation-placed');
  if (!(await removeFiles(queue, rotation, remaining))) {
    const list = listPath(rotation.partial);
    const reason = `the rotation is in ${place.path}, but ${list} was removed or moved away; move it back and run rotate again, or ${discardAdvice(queue.directory, rotation.id)}`;
    return { reason };
  }
  crashAt('rotation-files-removed');
  await transaction(queue, ({ connection }) => finishRotation(connection, rotation.id));
  crashAt('rotation-finished');
  await removeRenamed(dirname(rotation.partial));
  return place;
}

/** Removes the files of the jobs of a rotation from the queue. False if the list of the files is missing. */
async function removeFiles(queue: Queue, rotation: CommittedRotation, remaining: RemainingPaths): Promise<boolean> {
  const remove = async (names: readonly string[]): Promise<void> => {
    remaining.add(await removePaths(names.filter(isJobFileName).map((name) => join(queue.directory, name))));
  };
  const names = rotation.files ?? [];
  await remove(names);
  const list = openFileList(rotation.partial);
  // An earlier version of rq made no list.
  if (list === undefined) return names.length > 0;
  try {
    for (const batch of list.batches()) await remove(batch);
    return true;
  } catch (error) {
    // An NFS client learns only when it reads the list that another host removed it.
    if (errorCode(error) !== 'ESTALE') throw error;
    return false;
  } finally {
    list.close();
  }
}

/** The rotations that no other process has finished meanwhile. */
async function stillCommitted(queue: Queue, unfinished: UnfinishedRotation[]): Promise<UnfinishedRotation[]> {
  if (unfinished.length === 0) return unfinished;
  const committed = new Set((await read(queue, unfinishedRotations)).map(({ id }) => id));
  return unfinished.filter(({ id }) => committed.has(id));
}

function discardAdvice(queueDirectory: string, id: string): string {
  return `run: rq ${queueDirectory} execute "delete from rotations where id = '${id}'"`;
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
  const discard = discardAdvice(queueDirectory, id);
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
