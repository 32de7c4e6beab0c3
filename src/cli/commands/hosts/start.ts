import { startDaemon } from '../../../feeder/daemon.ts';
import { feederExists } from '../../../feeder/pid-file.ts';
import { RqError } from '../../../job/errors.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FEED_OPTIONS, FEED_QUIET } from './feed-options.ts';
import { daemonWords, feederLogPath } from './feeder-call.ts';
import { findFeeder } from './feeder-process.ts';

export const spec: CommandSpec = {
  name: 'start',
  summary: 'start a feeder in the background',
  options: [...FEED_OPTIONS, FEED_QUIET],
  report: ['pid', 'log'],
  description: ['Same as feed --daemon, with a default log unless --log is given. Prints the pid and the log.'],
  examples: [
    ['rq q start', 'start a feeder'],
    ['rq q start --quiet', 'start a feeder unless one is running'],
  ],
};

interface Started {
  readonly pid: number;
  readonly log: string;
}

/** Starts a feeder in the background. */
export async function run(call: CommandCall): Promise<number | undefined> {
  return await startInBackground(call);
}

/** The same, for `feed --daemon`; prints the daemon's pid and log once it feeds. */
export async function startInBackground(call: CommandCall): Promise<number | undefined> {
  let started: Started;
  try {
    started = await startFeeder(call);
  } catch (error) {
    const isQuiet = error instanceof RqError && error.code === 'FEEDER_EXISTS' && call.options.flag('quiet');
    if (isQuiet) return undefined;
    throw error;
  }
  if (!call.options.flag('quiet')) await printReport(call, { ...started });
  return undefined;
}

/** Starts a feeder as a daemon; resolves once it feeds. Throws NO_QUEUE, and what keeps it from feeding. */
export async function startFeeder(call: CommandCall): Promise<Started> {
  // For a clear word here, and not in the log of a daemon; and first, whether there is anything to do.
  const feeder = await findFeeder(call.queue);
  if (feeder !== undefined) throw feederExists(feeder);
  const log = feederLogPath(call);
  return { pid: await startDaemon(daemonWords(call, log), log), log };
}
