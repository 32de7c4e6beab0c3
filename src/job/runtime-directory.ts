import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from './errors.ts';
import { hostName } from './host.ts';

/** The directory that holds the runtime directories of all this user's queues on this machine. */
export function runtimeRoot(environment: NodeJS.ProcessEnv = process.env): string {
  return environment['RQ_RUNTIME_DIR'] || `/tmp/rq-${process.getuid?.() ?? 0}`;
}

/**
 * Where this host keeps the socket, pid file and journal of one queue's feeder and runner. Short, since the path of
 * a Unix socket may have 107 bytes (unix(7)), and named after the queue's real path and the host's name.
 */
export function runtimeDirectory(queueDirectory: string, environment: NodeJS.ProcessEnv = process.env): string {
  const identity = `${hostName(environment)}\0${realpathSync(queueDirectory)}`;
  return join(runtimeRoot(environment), createHash('sha256').update(identity).digest('hex').slice(0, 16));
}

/** Makes the directory and its root with mode 0700; throws NOT_ALLOWED where another could have prepared either. */
export function ensureRuntimeDirectory(directory: string): void {
  ensurePrivateDirectory(join(directory, '..'));
  ensurePrivateDirectory(directory);
}

/** Makes a directory with mode 0700 where there is none; throws NOT_ALLOWED where another could write to it. */
export function ensurePrivateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700, recursive: false });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') {
      throw new RqError(
        'NOT_ALLOWED',
        `cannot make the runtime directory ${directory}: set RQ_RUNTIME_DIR to another`,
        {
          cause: error,
        },
      );
    }
  }
  if (isPrivateDirectory(directory)) return;
  throw new RqError(
    'NOT_ALLOWED',
    `cannot use the runtime directory ${directory}: it is not a directory that only you can write to; remove it or set RQ_RUNTIME_DIR`,
  );
}

/** Whether a path is a directory, and no link, that only this user can write to. Throws ENOENT. */
export function isPrivateDirectory(directory: string): boolean {
  const stats = lstatSync(directory);
  return stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}
