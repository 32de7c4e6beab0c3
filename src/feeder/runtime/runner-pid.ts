import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { processStartTime } from '../../job/process.ts';

/** Reads the pid of the runner in a runtime directory, for display. Undefined if no runner is alive. */
export function readRunnerPid(runtimeDirectory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(runtimeDirectory, 'runner.pid'), 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 && processStartTime(pid) !== undefined ? pid : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
