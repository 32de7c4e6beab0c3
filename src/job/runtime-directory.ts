import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from './errors.ts';

/** The parent of the runtime directories of this user's queues on this host. Many systems empty /tmp at boot. */
export function runtimeRoot(): string {
  return process.env['RQ_RUNTIME_DIR'] || `/var/tmp/rq-${process.getuid?.() ?? 0}`;
}

/** Creates the directory and its parent with mode 0700. Throws NOT_ALLOWED if another user can write to either. */
export function ensureRuntimeDirectory(directory: string): void {
  ensurePrivateDirectory(join(directory, '..'));
  ensurePrivateDirectory(directory);
}

/** Creates a directory with mode 0700 if it does not exist. Throws NOT_ALLOWED if another user can write to it. */
export function ensurePrivateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700, recursive: false });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') {
      throw new RqError(
        'NOT_ALLOWED',
        `cannot create the runtime directory ${directory}: set RQ_RUNTIME_DIR to another directory`,
        {
          cause: error,
        },
      );
    }
  }
  if (isPrivateDirectory(directory)) return;
  throw new RqError(
    'NOT_ALLOWED',
    `cannot use the runtime directory ${directory}: other users can write to it, or it is not a directory; remove it or set RQ_RUNTIME_DIR`,
  );
}

/** Whether a path is a directory, not a link, that only this user can write to. Throws ENOENT. */
export function isPrivateDirectory(directory: string): boolean {
  const stats = lstatSync(directory);
  return stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}
