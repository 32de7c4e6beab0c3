import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { removePaths } from '../files/remove-paths.ts';
import { syncFile } from '../files/sync-file.ts';
import { sweepAbandoned, temporaryName } from '../files/temporary-names.ts';

/**
 * Makes a directory or file as a whole or not at all: the work fills a temporary one beside it, which then gets the
 * name; what a killed process left beside it is swept. Never overwrites. Throws QUEUE_EXISTS if something is there, NO_SPACE, NOT_ALLOWED or IO.
 */
export async function makeWhole(
  target: string,
  attempted: string,
  fill: (temporary: string) => Promise<void>,
): Promise<string> {
  const path = resolve(target);
  refuseExisting(path, attempted);
  const temporary = join(dirname(path), temporaryName());
  try {
    sweepAbandoned(dirname(path));
    mkdirSync(temporary, { mode: 0o700 });
    await fill(temporary);
    refuseExisting(path, attempted);
    renameSync(temporary, path);
    syncFile(dirname(path));
    return path;
  } catch (error) {
    await removePaths([temporary]);
    throw placeFault(error, path, attempted);
  }
}

/** Throws QUEUE_EXISTS if there is anything at a path. */
export function refuseExisting(path: string, attempted: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw new RqError('QUEUE_EXISTS', `cannot ${attempted} to ${path}: it is there already; name another path`);
}

/** An error of the file system in words for people; others as they are. */
export function placeFault(error: unknown, path: string, attempted: string): unknown {
  if (error instanceof RqError) return error;
  const what = `cannot ${attempted} to ${path}`;
  const details = { cause: error, facts: { path } };
  switch (errorCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return new RqError('NOT_ALLOWED', `${what}: there is no directory ${dirname(path)}; make it first`, details);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new RqError('NOT_ALLOWED', `${what}: you may not write to ${dirname(path)}`, details);
    case 'ENOSPC':
    case 'EDQUOT':
      return new RqError('NO_SPACE', `${what}: the disk or your quota is full; nothing was changed`, details);
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new RqError('QUEUE_EXISTS', `${what}: another was faster; name another path`, details);
    default:
      return new RqError('IO', `${what}: ${errorMessage(error)}; nothing was changed`, details);
  }
}
