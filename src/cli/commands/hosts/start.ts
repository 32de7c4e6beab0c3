import { resolve } from 'node:path';
import { startDaemon } from '../../../feeder/daemon.ts';
import { feederExists } from '../../../feeder/runtime/pid-file.ts';
import { rootWarning } from '../../../feeder/trust.ts';
import { RqError } from '../../../job/errors.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FEED_OPTIONS, FEED_QUIET } from './feed-options.ts';
import { feederArguments, feederLogPath } from './feeder-call.ts';
import { findFeeder } from './feeder-process.ts';
import { resourceOptions } from './resource-options.ts';

export const spec: CommandSpec = {
  name: 'start',
  summary: 'start a feeder in the background',
  options: [...FEED_OPTIONS, FEED_QUIET],
  report: ['pid', 'log'],
  description: [
    'Does the same as "feed --daemon". ' +
      'If you do not specify --log, the feeder writes to its default log. ' +
      'Prints the pid of the feeder and the path of the log.',
  ],
  examples: [
    ['rq q start', 'start a feeder'],
    ['rq q start --quiet', 'start a feeder unless one is already running'],
    ['rq q start --max_feed 8 --memory 64G --gpus 4 --have licence=2', 'say what the host has for jobs'],
  ],
};

interface Started {
  readonly pid: number;
  readonly log: string;
}

/** Starts a daemon, and prints its pid and log when it is ready; also for `feed --daemon`. */
export async function run(call: CommandCall): Promise<undefined> {
  let started: Started;
  try {
    started = await startFeeder(call);
  } catch (error) {
    const isQuiet = error instanceof RqError && error.code === 'FEEDER_EXISTS' && call.options.flag('quiet');
    if (isQuiet) return;
    throw error;
  }
  if (!call.options.flag('quiet')) await printReport(call, { ...started });
}

/** Starts a feeder as a daemon, and resolves when it is ready. Throws NO_QUEUE, FEEDER_EXISTS or its error. */
export async function startFeeder(call: CommandCall): Promise<Started> {
  resourceOptions(call);
  // Checked here so that the error appears on stderr and not only in the log of the daemon.
  const feeder = await findFeeder(call.queue);
  if (feeder !== undefined) throw feederExists(feeder);
  const log = feederLogPath(call);
  const { pid, warnings } = await startDaemon(feederArguments(call, log), log);
  const asRoot = rootWarning(resolve(call.queue));
  for (const line of asRoot === undefined ? warnings : [asRoot, ...warnings]) call.diagnostics.warn(line);
  return { pid, log };
}
