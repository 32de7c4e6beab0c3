import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FeedOptions } from '../../../feeder/settings.ts';
import { launchSettings, launchVariables } from '../../../feeder/start/launch-settings.ts';
import { RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { runProgram } from '../../../job/run-program.ts';
import { openLog, type Verbosity } from '../../../log/logger.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { version } from '../../version.ts';
import { resourceOptions } from './resource-options.ts';

const DEFAULT_RETRIES = 1_000_000;
/** Longer than that of other commands: nobody waits for a feeder. */
const DEFAULT_LOCK_TIMEOUT_S = 600;
/** Applies if no option limits the log: a feeder logs two lines per job, for months. */
const DEFAULT_LOG_BYTES = 10_000_000;
/** The time in which the installed program must answer. */
const PROGRAM_MS = 60_000;

/** The options of `feed` that are passed on to a daemon. */
const VALUES = [
  'max_feed',
  'memory',
  'gpus',
  'have',
  'min_sleep',
  'max_sleep',
  'retries',
  'loops',
  'log_age',
  'log_size',
  'lock-timeout',
  'verbosity',
];
const FLAGS = ['trust-group', 'until-empty', 'quiet'];

/** Returns the options of a call of `feed`. Throws USAGE if they contradict each other. */
export function feedOptions(call: CommandCall): FeedOptions {
  const { options } = call;
  const { minSleepS, maxSleepS } = sleepSeconds(call);
  const path = options.text('log');
  const age = options.text('log_age') as 'daily' | 'weekly' | 'monthly' | undefined;
  return {
    queuePath: resolve(call.queue),
    version,
    runnerProgram: fileURLToPath(new URL('./runner.cjs', import.meta.url)),
    launch: launchSettings(launchVariables()),
    slots: options.number('max_feed'),
    ...resourceOptions(call),
    minSleepMs: minSleepS === undefined ? undefined : minSleepS * 1000,
    maxSleepMs: maxSleepS === undefined ? undefined : maxSleepS * 1000,
    loops: options.number('loops'),
    untilEmpty: options.flag('until-empty'),
    trustGroup: options.flag('trust-group'),
    retries: options.number('retries') ?? DEFAULT_RETRIES,
    lockTimeoutMs: (options.number('lock-timeout') ?? DEFAULT_LOCK_TIMEOUT_S) * 1000,
    activity: call.activity,
    isProgramReady: () => isProgramReady(resolve(call.queue)),
    logger: openLog({
      verbosity: call.diagnostics.verbosity as Verbosity,
      path: path === undefined ? undefined : resolve(path),
      age,
      size: options.number('log_size') ?? (age === undefined ? DEFAULT_LOG_BYTES : undefined),
    }),
  };
}

/** Whether the installed program, which may be newer than this process, can change the queue. */
async function isProgramReady(queue: string): Promise<boolean> {
  const words = [process.argv[1] ?? '', queue, 'upgrade', '--check'];
  const options = { stdio: 'ignore', reject: false, timeout: PROGRAM_MS } as const;
  return (await runProgram(process.execPath, words, options)).exitCode === 0;
}

/**
 * Returns the shortest and the longest wait between polls; undefined if not given. Throws USAGE if the shortest exceeds
 * the longest.
 */
export function sleepSeconds({ options }: CommandCall): {
  minSleepS: number | undefined;
  maxSleepS: number | undefined;
} {
  const minSleepS = options.number('min_sleep');
  const maxSleepS = options.number('max_sleep');
  if (minSleepS === undefined || maxSleepS === undefined || minSleepS <= maxSleepS) return { minSleepS, maxSleepS };
  throw new RqError(
    'USAGE',
    `cannot feed: --min_sleep ${minSleepS} is greater than --max_sleep ${maxSleepS}; raise --max_sleep`,
  );
}

/**
 * Returns the path of the log. The default contains the host and the queue, because hosts may share a home directory.
 */
export function feederLogPath(call: CommandCall): string {
  const named = call.options.text('log');
  if (named !== undefined) return resolve(named);
  const root = call.options.text('dot_rq_dir') ?? join(homedir(), '.rq');
  return join(resolve(root), hostName(), resolve(call.queue).replaceAll('/', '_'), 'feeder.log');
}

/**
 * Returns the arguments that start a feeder with the options of this call, with a log or in the foreground. They name all
 * paths absolutely.
 */
export function feederArguments(call: CommandCall, logPath: string | undefined): string[] {
  const log = logPath === undefined ? [] : [`--log=${logPath}`];
  return [resolve(call.queue), 'feed', ...optionArguments(call, [...VALUES, ...FLAGS]), ...log];
}

/** Returns the named options that the call has, as arguments. */
export function optionArguments({ options }: CommandCall, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (options.flag(name)) return [`--${name}`];
    const list = options.list(name);
    if (list.length > 0) return [`--${name}=${list.join(',')}`];
    const value = options.number(name) ?? options.text(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
}
