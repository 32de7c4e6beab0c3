import { startDaemon } from '../../feeder/daemon.ts';
import { RqError } from '../../job/errors.ts';
import { openQueue } from '../../queue/open.ts';
import { daemonWords, feederLogPath } from '../feeder-call.ts';
import type { ModeCall } from '../mode-call.ts';
import { printReport } from '../print.ts';

/** Starts a feeder in the background. */
export async function run(call: ModeCall): Promise<number | undefined> {
  return await startInBackground(call);
}

/** The same, for `feed --daemon`; prints the daemon's pid and log once it feeds. */
export async function startInBackground(call: ModeCall): Promise<number | undefined> {
  // For a clear word here, and not in the log of a daemon.
  (await openQueue(call.queue, { lockTimeoutMs: 0 })).close();
  const log = feederLogPath(call);
  let pid: number;
  try {
    pid = await startDaemon(daemonWords(call, log), log);
  } catch (error) {
    const isQuiet = error instanceof RqError && error.code === 'FEEDER_EXISTS' && call.options.flag('quiet');
    if (isQuiet) return undefined;
    throw error;
  }
  if (!call.options.flag('quiet')) await printReport(call, { pid, log });
  return undefined;
}
