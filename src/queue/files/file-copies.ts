import { type FileHandle, open, realpath, rm, writeFile } from 'node:fs/promises';
import { RqError } from '../../job/errors.ts';
import { fileFault } from '../../job/file-errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { giveTo } from '../../lease/owner.ts';
import type { Queue } from '../open.ts';
import { copyTree } from './copy-tree.ts';
import { giveToOwner } from './give-to-owner.ts';
import { removePaths } from './remove-paths.ts';
import { copyWithHoles, isSparse } from './sparse-copy.ts';
import type { FileKind } from './stored-names.ts';
import { syncTree } from './sync-file.ts';

const SHARED_MODE = 0o660;

/**
 * Copies a job's stdin or script into the queue, under a name that does not exist yet, and syncs it. In a queue of a group, the
 * group may read and write the copy, whatever the umask of this process is. If this process is root, the copy belongs to
 * the owner of the queue. Throws INVALID_INPUT if the source cannot be
 * read, NO_SPACE if the disk is full.
 */
export async function copyFile(queue: Queue, kind: FileKind, source: string, target: string): Promise<void> {
  try {
    const handle = await open(target, 'wx');
    try {
      await copyInput(source, handle);
      if (queue.isShared) await handle.chmod(SHARED_MODE);
      if (queue.owner !== undefined) giveTo(queue.owner, handle.fd);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(target, { force: true });
    throw copyError(kind, source, error);
  }
}

/** A pipe or a device is read as a stream. */
async function copyInput(source: string, target: FileHandle): Promise<void> {
  const handle = await open(source);
  try {
    const stats = await handle.stat();
    if (stats.isFile() && isSparse(stats)) await copyWithHoles(handle, target);
    else await writeFile(target, handle.createReadStream({ autoClose: false }));
  } finally {
    await handle.close();
  }
}

/** As `copyFile`, for a job's data: a file or a whole directory. Copies the target of a symbolic link. */
export async function copyData(queue: Queue, source: string, target: string): Promise<void> {
  try {
    const original = await realpath(source);
    if (!(await copyTree(original, target, { within: original, isLive: false })))
      throw new Error('the path is neither a file nor a directory');
    if (queue.isShared) await runProgram('chmod', ['-R', 'g+rwX', target]);
    giveToOwner(queue, target);
    syncTree(Buffer.from(target));
  } catch (error) {
    await removePaths([target]);
    throw copyError('data', source, error);
  }
}

/** The error for a source that cannot be copied into the queue. */
export function copyError(kind: FileKind, source: string, error: unknown): RqError {
  const { code, reason } = fileFault(error);
  const message = `cannot copy the ${kind} ${source} into the queue: ${reason}`;
  return new RqError(code === 'NO_SPACE' ? code : 'INVALID_INPUT', message, { cause: error });
}
