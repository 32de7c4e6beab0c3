import type { RqError } from '../../job/errors.ts';
import { hasEnded, type Job } from '../../job/job.ts';
import { findJob } from '../../store/selections.ts';
import { type FollowEvent, FollowedJob } from '../follow/followed-job.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import type { QueueChanges } from './queue-changes.ts';
import { transientError } from './removed-queue.ts';
import type { EndedJob } from './wait-for-ends.ts';

/** The interval between reads of the files, and the least ratio of the interval to the time that the reads take. */
const POLL_MS = 250;
const POLL_RATIO = 4;

type Stream = 'stdout' | 'stderr';

/** What happened to a followed job. */
export type JobEvent =
  | { readonly kind: 'bytes'; readonly stream: Stream; readonly bytes: Uint8Array }
  | { readonly kind: 'started' }
  | { readonly kind: 'notice'; readonly stream: Stream; readonly event: Exclude<FollowEvent, { kind: 'bytes' }> }
  | { readonly kind: 'read-failed'; readonly error: RqError };

/**
 * Follows both output streams of a job from their beginning, until it has ended or was deleted, or until `changes` is
 * stopped. Returns the ended job. Reads its row only after a change. Throws NO_QUEUE if the queue is removed.
 */
export async function* followJob(
  queue: Queue,
  first: Job,
  changes: QueueChanges,
): AsyncGenerator<JobEvent, EndedJob | undefined> {
  const follower = new StreamFollower(queue, first);
  const { clock } = queue;
  let isChanged = true;
  changes.start();
  try {
    for (;;) {
      const startMs = clock.monotonicMs();
      if (isChanged) yield* follower.readRow(changes);
      yield* follower.readFiles();
      if (follower.isDone) return follower.ended;
      const pauseMs = follower.isReading
        ? Math.max(POLL_MS, POLL_RATIO * (clock.monotonicMs() - startMs))
        : Number.POSITIVE_INFINITY;
      // A file that was cut may belong to a new attempt.
      isChanged = (await changes.next(follower.hasMore ? 0 : pauseMs)) || follower.isCut;
      if (changes.isStopped) return undefined;
    }
  } finally {
    changes.stop();
  }
}

class StreamFollower {
  ended: EndedJob | undefined;
  private readonly streams: readonly (readonly [Stream, FollowedJob])[];
  private hasStarted = false;
  private hasFailed = false;

  constructor(
    private readonly queue: Queue,
    private readonly first: Job,
  ) {
    const lines = Number.POSITIVE_INFINITY;
    this.streams = (['stdout', 'stderr'] as const).map((stream) => [
      stream,
      new FollowedJob(queue, first, { stream, lines }),
    ]);
  }

  get isDone(): boolean {
    return this.streams.every(([, followed]) => followed.isDone);
  }

  get isReading(): boolean {
    return this.streams.some(([, followed]) => followed.isReading);
  }

  get isCut(): boolean {
    return this.streams.some(([, followed]) => followed.isCut);
  }

  get hasMore(): boolean {
    return this.streams.some(([, followed]) => followed.hasMore);
  }

  async *readRow(changes: QueueChanges): AsyncGenerator<JobEvent> {
    let job: Job | undefined;
    try {
      job = await read(this.queue, (connection) => findJob(connection, this.first.jid));
      this.hasFailed = false;
    } catch (caught) {
      const error = transientError(caught, this.queue);
      changes.expectChange();
      if (!this.hasFailed) yield { kind: 'read-failed', error };
      this.hasFailed = true;
      return;
    }
    if (job !== undefined && hasEnded(job)) this.ended = job;
    if (job?.state === 'running' && !this.hasStarted) {
      this.hasStarted = true;
      yield { kind: 'started' };
    }
    const ends: JobEvent[] = [];
    for (const [stream, followed] of this.streams) {
      for (const event of labelled(stream, followed.update(job))) {
        // After the rest of both streams.
        if (isEnd(event)) ends.push(event);
        else yield event;
      }
    }
    yield* ends;
  }

  *readFiles(): Generator<JobEvent> {
    for (const [stream, followed] of this.streams) yield* labelled(stream, followed.read());
  }
}

function* labelled(stream: Stream, events: Iterable<FollowEvent>): Generator<JobEvent> {
  for (const event of events) {
    if (event.kind === 'bytes') yield { kind: 'bytes', stream, bytes: event.bytes };
    else yield { kind: 'notice', stream, event };
  }
}

function isEnd(event: JobEvent): boolean {
  return event.kind === 'notice' && (event.event.kind === 'ended' || event.event.kind === 'deleted');
}
