import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { fileError } from '../../job/file-errors.ts';
import { cleanUpAtSignal } from './clean-up-at-signal.ts';
import { removePaths, removeRenamed } from './remove-paths.ts';
import { syncFile } from './sync-file.ts';
import { sweepAbandoned, temporaryName } from './temporary-names.ts';

/**
 * Creates a directory completely or not at all: `fill` works in a temporary directory beside the target, which is then
 * renamed. A signal removes it. Sweeps what killed processes left there. Never overwrites: `refuse` throws for a target that exists.
 * `action` is a phrase such as `back up /q to`. Throws QUEUE_EXISTS, NO_SPACE, NOT_ALLOWED or IO.
 */
export async function createAtomically(
  target: string,
  action: string,
  fill: (temporary: string) => Promise<void> | void,
  refuse: (path: string, action: string) => void = refuseExisting,
): Promise<string> {
  const path = resolve(target);
  refuse(path, action);
  const temporary = join(dirname(path), temporaryName());
  try {
    sweepAbandoned(dirname(path));
    await cleanUpAtSignal(
      () => removeRenamed(temporary),
      async () => {
        mkdirSync(temporary, { mode: 0o700 });
        await fill(temporary);
      },
    );
    refuse(path, action);
    renameSync(temporary, path);
    syncFile(dirname(path));
    return path;
  } catch (error) {
    await removePaths([temporary]);
    throw targetError(error, path, action);
  }
}

/** Throws QUEUE_EXISTS if a path exists. */
export function refuseExisting(path: string, action: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw new RqError('QUEUE_EXISTS', `cannot ${action} ${path}: the path already exists; name another path`);
}

/** The RqError for an error of the file system at a target; any other error unchanged. */
export function targetError(error: unknown, path: string, action: string): unknown {
  if (error instanceof RqError) return error;
  const what = `${action} ${path}`;
  switch (errorCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return new RqError(
        'NOT_ALLOWED',
        `cannot ${what}: there is no directory ${dirname(path)}; create the directory first`,
      );
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new RqError('QUEUE_EXISTS', `cannot ${what}: another process created the path first; name another path`);
    default:
      return fileError(error, what);
  }
}
