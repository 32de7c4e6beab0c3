import { resolve } from 'node:path';
import { Activity } from '../../job/activity.ts';
import { systemClock } from '../../job/clock.ts';
import { isRemote } from '../../queue/remote-path.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { lockTimeoutMs } from '../parse/lock-timeout.ts';
import { Reporter } from './reporter.ts';
import { newSharedState, writeState } from './shared-state.ts';
import { type WarningTarget, warn } from './warning.ts';
import type { WatcherSettings } from './watcher.ts';

const FIRST_MS = 10_000;
const PROGRAM = './watcher.cjs';

/**
 * Makes the activity record of a call, whose observer reports each wait of 10 seconds. If the queue is not on a local
 * disk, a thread watches the call, which costs about 30 ms of processor time (docs/nfs.md). On a local disk only waits
 * for locks are reported, at no cost. RQ_STALL_MS (for tests) replaces the 10 seconds and forces the thread.
 */
export async function observeCall(call: Omit<CommandCall, 'activity'>): Promise<Activity> {
  if (call.queue === '') return new Activity();
  const stallMs = Number(call.environment['RQ_STALL_MS'] ?? Number.NaN);
  const isFeeder = call.command === 'feed' && !call.options.flag('daemon');
  const settings: Omit<WatcherSettings, 'shared'> = {
    queue: resolve(call.queue),
    target: warningTarget(call, isFeeder),
    firstMs: stallMs > 0 ? stallMs : FIRST_MS,
    limitMs: isFeeder ? undefined : lockTimeoutMs(call),
    hint: isFeeder ? '' : ' (Ctrl-C to stop)',
  };
  return stallMs > 0 || isRemote(call.queue) ? await watchedActivity(settings) : reportedActivity(settings);
}

function warningTarget({ diagnostics, options }: Omit<CommandCall, 'activity'>, isFeeder: boolean): WarningTarget {
  const { verbosity } = diagnostics;
  const path = options.text('log');
  if (!isFeeder) return { kind: 'stderr', verbosity };
  return { kind: 'log', verbosity, path: path === undefined ? undefined : resolve(path) };
}

async function watchedActivity(settings: Omit<WatcherSettings, 'shared'>): Promise<Activity> {
  const shared = newSharedState();
  const threads = await import('node:worker_threads');
  const thread = new threads.Worker(new URL(PROGRAM, import.meta.url), {
    workerData: { ...settings, shared } satisfies WatcherSettings,
    env: threads.SHARE_ENV,
    // Node prints a warning that WASI is experimental.
    execArgv: ['--no-warnings'],
  });
  thread.on('error', ({ message }) => warn(settings.target, `cannot report waits: ${message}`));
  thread.unref();
  return new Activity((state) => writeState(shared, state));
}

function reportedActivity({ queue, firstMs, hint, target }: Omit<WatcherSettings, 'shared'>): Activity {
  const reporter = new Reporter(queue, firstMs, hint);
  return new Activity(({ wait }) => {
    const line = reporter.line({ wait, operation: undefined, blockedMs: 0 }, systemClock.monotonicMs());
    if (line !== undefined) warn(target, line);
  });
}
