import { errorCode } from '../job/errors.ts';
import { runtimeDirectory } from '../job/runtime-directory.ts';
import { readFeeder } from './pid-file.ts';

/** What does no harm to a process that does not listen to it yet: by default it is ignored (signal(7)). */
export const WAKE_SIGNAL = 'SIGURG';

/** Has this host's feeder look at the queue at once, if there is one, rather than at its next poll. */
export function wakeFeeder(queueDirectory: string): void {
  try {
    const feeder = readFeeder(runtimeDirectory(queueDirectory));
    if (feeder !== undefined) process.kill(feeder.pid, WAKE_SIGNAL);
  } catch (error) {
    // It has just ended, or is another's: it finds the job by itself.
    if (errorCode(error) === undefined) throw error;
  }
}
