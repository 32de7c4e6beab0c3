import { errorCode } from '../../job/errors.ts';
import { readFeeder } from './pid-file.ts';
import { runtimeDirectory } from './queue-record.ts';

/** By default this signal is ignored (signal(7)), so it does no harm to a process that does not handle it yet. */
export const WAKE_SIGNAL = 'SIGURG';

/** Makes this host's feeder, if there is one, search the queue without waiting for its next poll. */
export function wakeFeeder(queueDirectory: string): void {
  signalFeederIn(() => runtimeDirectory(queueDirectory));
}

/** The same for the feeder of the runtime directory that `find` returns. */
export function signalFeederIn(find: () => string): void {
  try {
    const feeder = readFeeder(find());
    if (feeder !== undefined) process.kill(feeder.pid, WAKE_SIGNAL);
  } catch (error) {
    // The feeder has just ended or belongs to another user. It notices the change at its next poll.
    if (errorCode(error) === undefined) throw error;
  }
}
