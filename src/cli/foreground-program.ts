import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { errorCode } from '../job/errors.ts';

/** How a program ended. If it could not be started, only `code` is set. */
export interface ProgramEnd {
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  /** The code of the error, such as ENOENT. */
  readonly code?: string | undefined;
}

/**
 * Runs a program that the user chose, with the terminal of this process and in its directory. Like a shell, it does so in
 * a directory that was removed, which execa refuses. `onStart` gets the process.
 */
export async function runInForeground(
  program: string,
  args: readonly string[],
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<ProgramEnd> {
  try {
    const child = spawn(program, args, { stdio: 'inherit' });
    onStart(child);
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return { code };
  }
}
