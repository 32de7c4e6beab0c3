import { randomUUID } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { allArrays, removeEmptyArrays } from '../../store/arrays.ts';
import { deleteRows } from '../../store/deletions.ts';
import { commitRotation, unchangedJids } from '../../store/rotations.ts';
import { cleanUpAtSignal } from '../files/clean-up-at-signal.ts';
import { refuseExisting, targetError } from '../files/create-atomically.ts';
import { giveToOwner } from '../files/give-to-owner.ts';
import { RecordFile } from '../files/record-file.ts';
import { RemainingPaths, removeRenamed } from '../files/remove-paths.ts';
import { sweepStagedFiles } from '../files/staged-sweep.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { readSettings } from '../settings.ts';
import { requireCurrentSchema } from '../transaction/read.ts';
import { refuseReadOnly, type Transaction, transaction } from '../transaction/transaction.ts';
import { archiveRotation, isArchive, requireTar } from './rotation-archive.ts';
import { fillRotation, type RotationKeys, withoutJobs } from './rotation-contents.ts';
import { finishRotations, type UnfinishedRotation } from './rotation-finish.ts';
import { makePartial, PARTIAL, sweepPartials } from './rotation-partials.ts';
import { recordIdentity } from './rotation-place.ts';

const MAX_CHANGED = 100_000;
const ATTEMPTED = 'rotate to';

export interface Rotated {
  /** The path of the rotation; undefined if there was nothing to rotate. */
  readonly path: string | undefined;
  readonly jobs: number;
  /** Files of the jobs of this and of earlier rotations that could not be removed from the queue. */
  readonly remaining: RemainingPaths;
  /** Earlier rotations that are not finished. */
  readonly unfinished: readonly UnfinishedRotation[];
}

/**
 * Moves finished and dead jobs and their files out of the queue. Builds the rotation in a temporary directory, complete
 * and synced. One transaction then removes the jobs and records the rotation, which is moved to its path last. If this is
 * killed before the transaction, the queue is unchanged; after it, the next `rotate` finishes the rotation. Throws
 * QUEUE_EXISTS, NOT_ALLOWED, NO_SPACE or IO.
 */
export async function rotateQueue(queue: Queue, target: string, progress?: Progress): Promise<Rotated> {
  refuseReadOnly(queue);
  await requireCurrentSchema(queue);
  const path = resolve(target);
  refuseExisting(path, ATTEMPTED);
  if (isArchive(path)) await requireTar();
  const remaining = new RemainingPaths();
  const { unfinished } = await finishRotations(queue, remaining);
  await sweepPartials(queue, dirname(path));
  await sweepStagedFiles(queue);
  const id = randomUUID();
  const partial = join(dirname(path), `${PARTIAL}${id}`);
  try {
    makePartial(partial, queue.directory);
    const jobs = await rotateInto({ queue, path, partial, id }, progress);
    if (jobs === 0) return { path: undefined, jobs, remaining, unfinished };
    crashAt('rotation-committed');
    const last = await finishRotations(queue, remaining);
    refuseUnfinished(last.unfinished, id);
    return { path: last.finished.get(id) ?? path, jobs, remaining, unfinished: last.unfinished };
  } catch (error) {
    if (!(error instanceof RqError && error.code === 'OUTCOME_UNKNOWN')) await discard(queue, partial);
    throw targetError(error, path, ATTEMPTED);
  }
}

/** Throws IO if the rotation with this id is not finished. */
function refuseUnfinished(unfinished: readonly UnfinishedRotation[], id: string): void {
  const rotation = unfinished.find((each) => each.id === id);
  if (rotation === undefined) return;
  throw new RqError('IO', `cannot finish the rotation to ${rotation.path}: ${rotation.reason}`);
}

interface RotationPaths {
  readonly queue: Queue;
  readonly path: string;
  readonly partial: string;
  readonly id: string;
}

/** Builds and commits the rotation, without jobs that changed meanwhile. Returns the number of its jobs. */
async function rotateInto(paths: RotationPaths, progress?: Progress): Promise<number> {
  const { queue, path, partial } = paths;
  const directory = join(partial, basename(path).replace(/(?:\.tgz|\.tar\.gz)$/, ''));
  const until = await retentionLimit(queue);
  const guarded = <Result>(work: () => Promise<Result>): Promise<Result> =>
    cleanUpAtSignal(() => removeRenamed(partial), work);
  const keys: RotationKeys = RecordFile.temporary();
  try {
    await guarded(() => fillRotation(queue, directory, { until, keys }, progress));
    crashAt('rotation-filled');
    for (;;) {
      if (keys.count === 0) {
        await removeRenamed(partial);
        return 0;
      }
      const archive = join(partial, basename(path));
      const source = isArchive(path) ? await guarded(() => archiveRotation(directory, archive)) : directory;
      giveToOwner(queue, source);
      recordIdentity(source);
      const changed = await commit(paths, source, keys);
      if (changed.size === 0) return keys.count;
      // These jobs were resubmitted or deleted meanwhile.
      await guarded(() => withoutJobs(queue, directory, keys, changed));
    }
  } finally {
    keys.close();
  }
}

/** Removes the jobs and records the rotation in one transaction. If jobs changed, returns them and does nothing. */
async function commit({ queue, path, id }: RotationPaths, source: string, keys: RotationKeys): Promise<Set<number>> {
  return await transaction(queue, (run) => {
    const changed = changedSince(run, keys);
    if (changed.size > 0) return changed;
    for (const batch of keys.batches()) {
      deleteRows(
        run.connection,
        batch.map(({ jid }) => jid),
      );
      run.refresh();
    }
    removeEmptyArrays(run.connection, allArrays(run.connection));
    commitRotation(run.connection, { id, partial: source, path, files: [] }, queue.clock.now());
    return changed;
  });
}

/** Jids of changed jobs: all of them, or so many that the rest is found after these have been taken out. */
function changedSince(run: Transaction, keys: RotationKeys): Set<number> {
  const changed = new Set<number>();
  for (const batch of keys.batches()) {
    const unchanged = unchangedJids(run.connection, batch);
    for (const { jid } of batch) if (!unchanged.has(jid)) changed.add(jid);
    if (changed.size >= MAX_CHANGED) break;
    run.refresh();
  }
  return changed;
}

async function retentionLimit(queue: Queue): Promise<string> {
  const { retention } = await readSettings(queue);
  // Compared with no clock: that of the host that ran a job may be ahead.
  if (retention === 0) return '9999';
  return new Date(Date.parse(queue.clock.now()) - retention * 1000).toISOString();
}

/** After an error, removes the rotation unless it was committed. */
async function discard(queue: Queue, partial: string): Promise<void> {
  try {
    await sweepPartials(queue, dirname(partial), partial);
  } catch (error) {
    // The next rotation sweeps the rest.
    if (errorCode(error) === undefined) throw error;
  }
}
