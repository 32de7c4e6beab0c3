import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { becomeDaemon, isDaemon, reportToParent, startDaemon, startSuccessor } from '../../../feeder/daemon.ts';
import { feed } from '../../../feeder/feed.ts';
import { launchVariables } from '../../../feeder/start/launch-settings.ts';
import { RqError } from '../../../job/errors.ts';
import { FeederEvents } from '../../../log/events.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FEED_OPTIONS, FEED_QUIET } from './feed-options.ts';
import { feederArguments, feederLogPath, feedOptions } from './feeder-call.ts';
import { run as startInBackground } from './start.ts';

export const spec: CommandSpec = {
  name: 'feed',
  short: ['f'],
  summary: 'run jobs of the queue on this host',
  options: [
    {
      name: 'daemon',
      short: 'D',
      type: 'flag',
      help: 'Run in the background, in a new session, with the working directory "/". Output goes to the log.',
    },
    {
      name: 'loops',
      short: 'L',
      type: 'integer',
      value: 'N',
      min: 1,
      max: 1e9,
      help: 'Exit after this number of polls.',
    },
    {
      name: 'until-empty',
      type: 'flag',
      help: 'Exit when no pending job may run on this host and no job of this feeder is running.',
    },
    ...FEED_OPTIONS,
    FEED_QUIET,
  ],
  report: ['pid', 'log'],
  description: [
    'Runs jobs until the feeder receives a signal to exit. ' +
      'Of the jobs that fit, those with a higher priority start first. ' +
      'Among jobs with the same priority, older jobs start first. ' +
      'A job fits while the host has the cpus, memory, GPUs and other resources that it requests. ' +
      'A host has at most one feeder for each queue.',
    'On SIGTERM or SIGINT, the feeder starts no more jobs, waits for its running jobs, and exits. ' +
      'On a second SIGINT (Ctrl-C), the feeder kills the running jobs, as "stop" does. ' +
      'On SIGHUP, the feeder restarts the program with the same arguments, and running jobs continue. ' +
      'If a feeder dies, its jobs continue, and the next feeder on the host adopts them.',
    'A feeder runs the jobs with your user id. A feeder refuses a queue that other users can write to.',
  ],
  examples: [
    ['rq q feed', 'run a feeder in this terminal, for jobs on all processors'],
    ['rq q feed --daemon --max_feed 4', 'run a feeder in the background, for jobs on four cpus'],
    ['rq q feed --until-empty', 'run all pending jobs, and then exit'],
  ],
};

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;
/** A terminal also sends these to the child. A second one would have another meaning, so they are not forwarded. */
const TYPED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** Runs a feeder in this process, or starts a daemon. */
export async function run(call: CommandCall): Promise<number | undefined> {
  const asDaemon = isDaemon();
  // The daemon also reads --daemon from RQ_OPTS.
  if (call.options.flag('daemon') && !asDaemon) return await startInBackground(call);
  if (asDaemon) becomeDaemon();
  try {
    return await feedAndRestart(call, asDaemon);
  } catch (error) {
    const isQuiet = error instanceof RqError && error.code === 'FEEDER_EXISTS' && call.options.flag('quiet');
    reportToParent({ error });
    if (isQuiet) return undefined;
    throw error;
  }
}

/**
 * Feeds. After SIGHUP, starts the installed program, which may be newer, with the same arguments. If that fails, this
 * process feeds again.
 */
async function feedAndRestart(call: CommandCall, asDaemon: boolean): Promise<number | undefined> {
  const options = feedOptions(call);
  const successor = new Successor(call);
  const onReady = (warnings: readonly string[]): void => {
    reportToParent({ warnings });
    successor.repeatSignal();
  };
  while ((await feed({ ...options, onReady })) === 'restart') {
    try {
      return await (asDaemon ? successor.startDaemon() : successor.run());
    } catch (error) {
      new FeederEvents(options.logger).restartFailed(error);
    }
  }
  return undefined;
}

/** The process that replaces this feeder. */
class Successor {
  private readonly args: readonly string[];
  private readonly logPath: string;
  private readonly variables: Record<string, string>;
  /** A request to end that this process received while the successor started. */
  private signal: NodeJS.Signals | undefined;

  constructor(call: CommandCall) {
    // Before `feed` changes the umask, and before the working directory can be removed.
    this.variables = launchVariables();
    this.logPath = feederLogPath(call);
    this.args = feederArguments(call, isDaemon() || call.options.text('log') !== undefined ? this.logPath : undefined);
  }

  async startDaemon(): Promise<undefined> {
    await startDaemon(this.args, this.logPath);
    return undefined;
  }

  /** Runs it in the foreground, and returns its exit status. Rejects if it does not start to feed. */
  async run(): Promise<number> {
    let child: ChildProcess | undefined;
    const forward = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGHUP') this.signal = signal;
      if (!(process.stdin.isTTY && TYPED.includes(signal))) child?.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    try {
      const started = await startSuccessor(this.args, this.variables, (each) => {
        child = each;
      });
      return started.exitCode ?? ((await once(started, 'exit'))[0] as number | null) ?? 1;
    } finally {
      for (const signal of FORWARDED) process.off(signal, forward);
    }
  }

  repeatSignal(): void {
    if (this.signal !== undefined) process.kill(process.pid, this.signal);
    this.signal = undefined;
  }
}
