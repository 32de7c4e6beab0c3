import { errorCode } from '../../job/errors.ts';
import { processStartTime } from '../../job/process.ts';

/** The process of an attempt: the leader of its session and of its process group. */
export interface Leader {
  readonly pid: number;
  /** Clock ticks since boot. Null if it could not be read, for example because the process had already ended. */
  readonly start_time: number | null;
}

/** Whether the process with this pid and start time still runs. Throws if /proc cannot be read. */
export function isAlive({ pid, start_time }: Leader): boolean {
  return start_time !== null && processStartTime(pid) === start_time;
}

/** Sends a signal to a process group; 0 only tests for its existence. False if there is no such group. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}
