import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { hostName, pidNamespace } from '../job/host.ts';
import { processStartTime } from '../job/process.ts';
import { ensureRuntimeDirectory, runtimeDirectory } from '../job/runtime-directory.ts';
import { FeederEvents } from '../log/events.ts';
import type { Logger } from '../log/logger.ts';
import { sweepAbandoned } from '../queue/files/temporary-names.ts';
import { lockProblem, mountOf } from '../queue/mount.ts';
import { openQueue, type Queue } from '../queue/open.ts';
import { readServerClock } from '../queue/server-clock.ts';
import { readSettings } from '../queue/settings.ts';
import { refuseReadOnly } from '../queue/transaction/transaction.ts';
import { mayRunOn } from './constraints.ts';
import { feedFault } from './feed-error.ts';
import { Feeder } from './feeder.ts';
import { BEAT_MS } from './host/heartbeat.ts';
import { hostFacts } from './host/host-facts.ts';
import { refuseNamesake } from './host/host-name-conflict.ts';
import { Presence } from './host/presence.ts';
import { becomeFeeder, resignAsFeeder } from './pid-file.ts';
import { listenToSignals } from './signals.ts';
import { RunnerLink } from './start/runner-link.ts';
import { refuseUntrusted } from './trust.ts';
import { WAKE_SIGNAL } from './wake.ts';

export interface FeedOptions {
  readonly queuePath: string;
  readonly version: string;
  /** The runner's program. */
  readonly runnerProgram: string;
  /** Jobs at once; without it as the queue is configured, or as many as the host has processors for this process. */
  readonly slots: number | undefined;
  /** Between polls of an idle feeder; without them as the queue is configured. */
  readonly minSleepMs: number | undefined;
  readonly maxSleepMs: number | undefined;
  readonly loops: number | undefined;
  readonly untilEmpty: boolean;
  readonly trustGroup: boolean;
  readonly retries: number;
  readonly lockTimeoutMs: number;
  readonly logger: Logger;
  /** Take over what runs only to kill it. */
  readonly stopAtOnce?: boolean;
  /** Called when it is this host's feeder and can be told to end. */
  readonly onReady?: () => void;
}

/**
 * Feeds from a queue until told to end. Gives 'restart' if it is to be started anew. Throws FEEDER_EXISTS,
 * QUEUE_UNSAFE, RUNNER, and what a queue throws that cannot be used.
 */
export async function feed(options: FeedOptions): Promise<'ended' | 'restart'> {
  const queue = await openQueue(options.queuePath, { lockTimeoutMs: options.lockTimeoutMs });
  refuseReadOnly(queue);
  refuseUntrusted(queue.directory, options.trustGroup);
  refuseWithoutLocks(queue);
  const directory = runtimeDirectory(queue.directory);
  ensureRuntimeDirectory(directory);
  const configured = await configuredFor(queue, options);
  const { slots } = configured;
  try {
    await becomeFeeder(directory, { since: queue.clock.now(), slots, host: hostName(), queue: queue.directory });
    await refuseNamesake(queue.directory, hostName(), directory, queue.clock);
    for (const folder of ['nodes', 'stdin', 'data']) sweepAbandoned(join(queue.directory, folder));
    return await feedAs(queue, directory, configured, options);
  } catch (error) {
    throw feedFault(error, queue.directory);
  } finally {
    queue.close();
    resignAsFeeder(directory);
  }
}

/** A host beats at least so often before it could be taken for lost. */
const BEATS = 6;

interface Configured {
  readonly slots: number;
  readonly minSleepMs: number;
  readonly maxSleepMs: number;
  /** A host without a sign of life for so long is lost, in milliseconds. */
  readonly lostAfterMs: number;
}

/** What was asked for, else what the queue says; of sleeps that contradict each other so, what was asked for counts. */
async function configuredFor(queue: Queue, options: FeedOptions): Promise<Configured> {
  // The runner must inherit none of the database's files, and is started later.
  const settings = await readSettings(queue);
  queue.close();
  const minSleepMs = options.minSleepMs ?? Math.min(settings.min_sleep * 1000, options.maxSleepMs ?? Number.MAX_VALUE);
  const maxSleepMs = Math.max(options.maxSleepMs ?? settings.max_sleep * 1000, minSleepMs);
  const slots = options.slots ?? settings.max_feed ?? availableParallelism();
  return { slots, minSleepMs, maxSleepMs, lostAfterMs: settings.lost_after * 1000 };
}

async function feedAs(
  queue: Queue,
  directory: string,
  { slots, minSleepMs, maxSleepMs, lostAfterMs }: Configured,
  options: FeedOptions,
): Promise<'ended' | 'restart'> {
  const host = hostName();
  const events = new FeederEvents(options.logger);
  const { clock, directory: queueDirectory } = queue;
  const link = new RunnerLink({
    queueDirectory,
    runtimeDirectory: directory,
    program: options.runnerProgram,
    slots,
    clock,
    events,
  });
  // A signal that ended this process here would leave a runner with nobody to tell it to end.
  const signals = listenToSignals();
  // Before the database is opened: the runner must inherit none of its file descriptors.
  await link.connect();
  const { loops, untilEmpty, retries, version } = options;
  const mayRun = mayRunOn(host);
  const settings = { host, slots, minSleepMs, maxSleepMs, loops, untilEmpty, retries, mayRun };
  const { boot, journal } = link;
  const beat = Math.min(BEAT_MS, lostAfterMs / BEATS) / 1000;
  const { offsetMs } = readServerClock(join(queueDirectory, 'nodes'), clock);
  const about = { host, ...ownProcess(), boot, journal, runtime: directory, slots, version, started: clock.now() };
  const facts = { ...about, beat, ...hostFacts(queueDirectory, offsetMs) };
  const presence = new Presence(queue, facts, lostAfterMs, events);
  const feeder = new Feeder(queue, settings, link, presence, events);
  signals.deliverTo((order, why) => feeder.tell(order, why));
  const look = (): void => feeder.lookNow();
  process.on(WAKE_SIGNAL, look);
  presence.start();
  events.started({ queue: queueDirectory, host, pid: process.pid, runner: link.runnerPid, slots, version });
  if (options.stopAtOnce === true) feeder.tell('stop', 'rq stop');
  options.onReady?.();
  let order = 'failed';
  try {
    order = await feeder.run();
    if (order === 'restart') events.restarting();
    else events.ended({ why: order === 'feed' ? 'nothing is pending' : order, ran: feeder.ran });
    return order === 'restart' ? 'restart' : 'ended';
  } finally {
    signals.stop();
    process.off(WAKE_SIGNAL, look);
    const isClean = order !== 'restart' && order !== 'failed';
    presence.stop(isClean);
    await link.close(isClean);
  }
}

/** What names this process for good within a boot. */
function ownProcess(): { readonly pid: number; readonly start_time: number; readonly namespace: number } {
  const { pid } = process;
  return { pid, start_time: processStartTime(pid) ?? 0, namespace: pidNamespace() };
}

function refuseWithoutLocks(queue: Queue): void {
  if (queue.locking === 'lease') return;
  const problem = lockProblem(mountOf(queue.directory));
  if (problem === undefined) return;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${queue.directory} here: ${problem}; or use a queue made with --locking lease (docs/nfs.md)`,
  );
}
