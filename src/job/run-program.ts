import { execa, type Options } from 'execa';
import { errorCode } from './errors.ts';

/**
 * Runs a program of the host in `/`, because the directory of this process may have been removed. Paths in the arguments
 * must be absolute. This process leaves a directory that was removed, because execa needs one for its error messages.
 */
export function runProgram<Chosen extends Options>(file: string, args: readonly string[], options?: Chosen) {
  leaveRemovedDirectory();
  return execa({ cwd: '/' })(file, args, options);
}

function leaveRemovedDirectory(): void {
  try {
    process.cwd();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    process.chdir('/');
  }
}
