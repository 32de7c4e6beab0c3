import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { errorMessage, RqError } from '../job/errors.ts';

/** The exit status of `flock -n` if another process holds the lock. */
const CONFLICT = 1;

/**
 * Acquires the exclusive flock(2) of a directory. False if another process holds the lock. flock(1) locks a descriptor
 * that it inherits, so the lock belongs to this process. It lasts until this process ends; no other one inherits it.
 * systemd-tmpfiles does not clean up a directory that is locked in this way (systemd.io/TEMPORARY_DIRECTORIES).
 */
export function lockDirectory(directory: string): boolean {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const { status, error } = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  if (status === 0) return true;
  closeSync(descriptor);
  if (status === CONFLICT) return false;
  const cause = error === undefined ? `its exit status is ${status}` : errorMessage(error);
  throw new RqError('RUNNER', `cannot lock ${directory} with flock(1): ${cause}; install util-linux`, {
    cause: error,
    facts: { directory },
  });
}
