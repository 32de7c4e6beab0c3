import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { open, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { copyTree } from './copy-tree.ts';
import { removePaths } from './remove-paths.ts';
import { syncTree } from './sync-file.ts';
import { temporaryName } from './temporary-names.ts';

const GROUP_WRITES = 0o020;
const SHARED_MODE = 0o660;

/**
 * Copies a file that is to be a job's stdin into the queue, synced, under a name that no job has; gives that path.
 * Throws INVALID_INPUT where the source cannot be read, NO_SPACE or IO where the queue cannot be written.
 */
export async function copyStdin(queueDirectory: string, source: string): Promise<string> {
  const target = join(queueDirectory, 'stdin', temporaryName());
  try {
    await pipeline(createReadStream(source), createWriteStream(target, { flags: 'wx' }));
    const handle = await open(target);
    if (isShared(queueDirectory)) await handle.chmod(SHARED_MODE);
    await handle.sync();
    await handle.close();
    return target;
  } catch (error) {
    await rm(target, { force: true });
    throw copyError('stdin', source, error);
  }
}

/**
 * As `copyStdin`, for a job's data: a file or a directory with all that is in it, or what a link leads to. In a queue of
 * a group its members may read and write it.
 */
export async function copyData(queueDirectory: string, source: string): Promise<string> {
  const target = join(queueDirectory, 'data', temporaryName());
  try {
    const whole = await realpath(source);
    if (!(await copyTree(whole, target, { within: whole, isLive: false })))
      throw new Error('it is neither a file nor a directory');
    if (isShared(queueDirectory)) await execa('chmod', ['-R', 'g+rwX', target]);
    syncTree(Buffer.from(target));
    return target;
  } catch (error) {
    await removePaths([target]);
    throw copyError('data', source, error);
  }
}

/** Whether a group shares the queue, so that the umask of one member must not keep the others out. */
function isShared(queueDirectory: string): boolean {
  return (statSync(queueDirectory).mode & GROUP_WRITES) !== 0;
}

function copyError(what: string, source: string, error: unknown): RqError {
  const code = errorCode(error);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const advice = isFull ? 'the disk or your quota is full; make room and try again' : errorMessage(error);
  const message = `cannot copy the ${what} ${source} into the queue: ${advice}`;
  return new RqError(isFull ? 'NO_SPACE' : 'INVALID_INPUT', message, { cause: error });
}
