import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { errorMessage, RqError } from '../job/errors.ts';

const NOT_HAD = 1;

/**
 * Takes the exclusive flock(2) of a directory for the life of this process, and of those that have the file descriptor
 * that it gives; undefined if another has it. flock(1) sets it
 * on a descriptor that it inherits, so it is ours; a child that has not come to its exec yet has it too.
 * systemd-tmpfiles leaves a directory alone that is locked so (systemd.io/TEMPORARY_DIRECTORIES).
 */
export function lockDirectory(directory: string): number | undefined {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const { status, error } = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  if (status === 0) return descriptor;
  closeSync(descriptor);
  if (status === NOT_HAD) return undefined;
  throw new RqError(
    'RUNNER',
    `cannot lock ${directory} with flock(1), which util-linux has: ${error === undefined ? `it ended with ${status}` : errorMessage(error)}`,
    { cause: error, facts: { directory } },
  );
}
