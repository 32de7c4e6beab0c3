import { closeSync, constants, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { RqError } from '../../job/errors.ts';
import { acquirePidFile, type FeederRecord } from './pid-file.ts';
import { signalFeederIn } from './wake.ts';

const POLL_MS = 100;
/** Longer than a feeder sleeps between two polls by default. */
const END_MS = 20_000;

/**
 * Makes this process the host's feeder. If the queue was moved, the feeder of its former path ends when it notices that, and
 * this process waits for it. Throws FEEDER_EXISTS.
 */
export async function replaceFeeder(
  runtimeDirectory: string,
  record: Omit<FeederRecord, 'pid' | 'startTime'>,
  clock: Clock,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + END_MS;
  for (;;) {
    try {
      return await acquirePidFile(runtimeDirectory, record);
    } catch (error) {
      if (!(error instanceof RqError && error.code === 'FEEDER_EXISTS')) throw error;
      const isOfFormerPath = isElsewhere(String(error.facts['queue']), record.queue);
      if (!isOfFormerPath || clock.monotonicMs() > deadlineMs) throw error;
      signalFeederIn(() => runtimeDirectory);
      await clock.sleep(POLL_MS);
    }
  }
}

/** Whether two paths lead to different queues, or one of them to none. */
function isElsewhere(path: string, other: string): boolean {
  const [one, two] = [path, other].map((directory) => {
    const stats = statSync(join(directory, 'db'), { bigint: true, throwIfNoEntry: false });
    return `${stats?.dev}:${stats?.ino}`;
  });
  return one !== two;
}

/** Remembers a directory, so that it can be found after it was moved. */
export class DirectoryMark {
  private readonly path: string;
  private readonly descriptor: number;

  constructor(path: string) {
    this.path = realpathSync(path);
    this.descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** What became of the directory, if it is no longer at its path; undefined if it is. */
  get change(): string | undefined {
    const now = readlinkSync(`/proc/self/fd/${this.descriptor}`);
    if (now === this.path)
      return statSync(this.path, { throwIfNoEntry: false }) === undefined ? 'was removed' : undefined;
    return now.endsWith(' (deleted)') ? 'was removed' : `was moved to ${now}`;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** The error of a feeder whose queue is no longer at its path; `error` if it is. */
export function movedError(path: string, change: string | undefined, error: unknown): unknown {
  if (change === undefined) return error;
  const message = `cannot continue to feed from ${path}: the directory ${change}; running jobs continue, and the next feeder of the queue takes them over`;
  return new RqError('NO_QUEUE', message, { cause: error });
}
