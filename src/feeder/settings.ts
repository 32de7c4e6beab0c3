import type { Activity } from '../job/activity.ts';
import { hostName } from '../job/host.ts';
import type { Resources } from '../job/placement/needs.ts';
import type { Logger } from '../log/logger.ts';
import type { MayRun } from '../queue/exchange/exchange.ts';
import type { Queue } from '../queue/open.ts';
import { readSettings } from '../queue/settings.ts';
import { mayRunOn } from './constraints.ts';
import type { GpuChoice } from './gpus/gpu-choice.ts';
import { hostCpus, hostMemory } from './host/resources.ts';
import type { LaunchSettings } from './start/launch-settings.ts';

/** The options of the command line. The queue's settings apply where a value is undefined. */
export interface FeedOptions {
  readonly queuePath: string;
  readonly version: string;
  /** The path of the runner's program. */
  readonly runnerProgram: string;
  readonly launch: LaunchSettings;
  /** The cpus for jobs. Without a setting in the queue either, this is the number of available processors. */
  readonly slots: number | undefined;
  /** The memory that jobs may reserve together, in bytes. Undefined is most of the memory of the host. */
  readonly memory: number | undefined;
  readonly gpus: GpuChoice;
  /** Other resources of the host. */
  readonly have: Resources;
  /** The shortest and the longest time between polls of an idle feeder. */
  readonly minSleepMs: number | undefined;
  readonly maxSleepMs: number | undefined;
  /** The feeder ends after this many polls. */
  readonly loops: number | undefined;
  readonly untilEmpty: boolean;
  readonly trustGroup: boolean;
  /** The number of successive errors of the queue after which the feeder gives up. */
  readonly retries: number;
  readonly lockTimeoutMs: number;
  readonly logger: Logger;
  /** Whether the installed program, which may be newer than this process, can change the queue. */
  readonly isProgramReady: () => Promise<boolean>;
  /** Adopt the running jobs only to kill them. */
  readonly stopAtOnce?: boolean;
  /** Called when this process is the host's feeder and can be signalled, with lines for the user. */
  readonly onReady?: (warnings: readonly string[]) => void;
  /** Records what the feeder is doing, for reports of long waits. */
  readonly activity: Activity;
}

export interface FeederSettings {
  readonly host: string;
  /** The cpus for jobs. */
  readonly slots: number;
  readonly memory: number;
  readonly have: Resources;
  readonly minSleepMs: number;
  readonly maxSleepMs: number;
  readonly loops: number | undefined;
  readonly untilEmpty: boolean;
  readonly retries: number;
  /** A host that sends no heartbeat for this long is lost. */
  readonly lostAfterMs: number;
  /** The time between SIGTERM and SIGKILL when this feeder ends its jobs. */
  readonly killGraceMs: number;
  readonly mayRun: MayRun;
}

/** Completes the options with the queue's settings. If the two contradict each other, the options take precedence. */
export async function feederSettings(queue: Queue, options: FeedOptions): Promise<FeederSettings> {
  const settings = await readSettings(queue);
  // The runner is started later and must not inherit a file descriptor of the database.
  queue.close();
  const { have, loops, untilEmpty, retries } = options;
  const host = hostName();
  const minSleepMs = options.minSleepMs ?? Math.min(settings.min_sleep * 1000, options.maxSleepMs ?? Number.MAX_VALUE);
  return {
    host,
    slots: hostCpus(options.slots ?? settings.max_feed ?? undefined),
    memory: hostMemory(options.memory),
    have,
    minSleepMs,
    maxSleepMs: Math.max(options.maxSleepMs ?? settings.max_sleep * 1000, minSleepMs),
    loops,
    untilEmpty,
    retries,
    lostAfterMs: settings.lost_after * 1000,
    killGraceMs: settings.kill_grace * 1000,
    mayRun: mayRunOn(host),
  };
}
