import { accessSync, constants, statSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { errorMessage } from '../../job/errors.ts';

/** An attempt cannot be started; the message is the reason that its exit gets. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** What a system error says without call and path: `no such file or directory`. */
export function systemMessage(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return errorMessage(error);
  const [code, text] = getSystemErrorMap().get(error.errno) ?? [undefined, error.message];
  // What O_NOFOLLOW says of a link is true but no help.
  return code === 'ELOOP' ? 'a symbolic link' : text;
}

/** The error of a system call by its number, as another process tells it. */
export function systemError(number: number): Error {
  return Object.assign(new Error(`error ${number}`), { errno: -number });
}

/** Why a file could not be opened: a system error, or words of its own. */
export function fileFailure(name: string, path: string, error: unknown): string {
  return `cannot open ${name} ${path}: ${systemMessage(error)}`;
}

/** Why a fork or exec failed. A directory that cannot be entered shows as a missing program, so look there first. */
export function startFailure(error: unknown, cwd: string): string {
  try {
    if (!statSync(cwd).isDirectory()) return `cannot enter the directory ${cwd}: not a directory`;
    accessSync(cwd, constants.X_OK);
  } catch (entering) {
    return `cannot enter the directory ${cwd}: ${systemMessage(entering)}`;
  }
  return `cannot start bash: ${systemMessage(error)}`;
}
