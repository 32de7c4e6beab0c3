import { accessSync, constants, statSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { errorMessage } from '../../job/errors.ts';

/** An attempt cannot be started. The message becomes the reason of its exit. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** The text of a system error without call and path, such as `no such file or directory`. */
export function systemMessage(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return errorMessage(error);
  const [code, text] = getSystemErrorMap().get(error.errno) ?? [undefined, error.message];
  // With O_NOFOLLOW, open(2) reports a symbolic link as "too many symbolic links encountered".
  return code === 'ELOOP' ? 'a symbolic link' : text;
}

/** The error of a system call from its number, as another process reports it. */
export function systemError(number: number): Error {
  return Object.assign(new Error(`error ${number}`), { errno: -number });
}

/** The reason of an attempt whose file could not be opened. `error` is a system error or a text. */
export function fileFailure(name: string, path: string, error: unknown): string {
  return `cannot open ${name} ${path}: ${systemMessage(error)}`;
}

/** The reason of an attempt whose fork or exec failed. Node reports a directory that cannot be entered as ENOENT. */
export function startFailure(error: unknown, cwd: string): string {
  try {
    if (!statSync(cwd).isDirectory()) return `cannot enter the directory ${cwd}: not a directory`;
    accessSync(cwd, constants.X_OK);
  } catch (directoryError) {
    return `cannot enter the directory ${cwd}: ${systemMessage(directoryError)}`;
  }
  return `cannot start bash: ${systemMessage(error)}`;
}
