import { delaySeconds } from '../../job/placement/due-time.ts';
import { serverNowMs } from '../nodes/node-status.ts';
import type { Queue } from '../open.ts';

/** Adds delays to the time of the file server, by which jobs are due. It is read once, and only for a delay. */
export class DueTimes {
  private nowMs: number | undefined;

  constructor(private readonly queue: Queue) {}

  /** The time that `due` is, which may be a delay such as `+2h`. */
  at(due: string | null): string | null {
    const seconds = due === null ? undefined : delaySeconds(due);
    if (seconds === undefined) return due;
    this.nowMs ??= serverNowMs(this.queue);
    return new Date(this.nowMs + seconds * 1000).toISOString();
  }
}

/** A change of jobs with the time that its `due` is. */
export function withDueTime<Change extends { readonly due?: string | null }>(queue: Queue, change: Change): Change {
  return change.due === undefined ? change : { ...change, due: new DueTimes(queue).at(change.due) };
}
