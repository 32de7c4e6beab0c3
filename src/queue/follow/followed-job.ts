import { join } from 'node:path';
import type { DeadJob, FinishedJob, Job, RunningJob, WaitingJob } from '../../job/job.ts';
import type { Queue } from '../open.ts';
import { OutputFile } from './output-file.ts';

export interface FollowOptions {
  readonly stream: 'stdout' | 'stderr';
  /** How many lines to begin with of what was there before; Infinity for all of it. */
  readonly lines: number;
}

/** What happens to jobs that are followed, in its order; `bytes` are as the job wrote them. */
export type FollowEvent =
  | { readonly kind: 'bytes'; readonly jid: number; readonly bytes: Uint8Array }
  | { readonly kind: 'waiting'; readonly job: WaitingJob; readonly isAgain: boolean }
  | { readonly kind: 'restarted'; readonly jid: number; readonly attempt: number }
  | { readonly kind: 'cut'; readonly jid: number }
  | { readonly kind: 'ended'; readonly job: FinishedJob | DeadJob }
  | { readonly kind: 'deleted'; readonly jid: number };

/** A job that writes faster than it is read gives way to the others after so much. */
const TURN_BYTES = 4 * 1024 * 1024;

/** One job whose output is followed: what was read of which attempt. What the queue says of it comes through `see`. */
export class FollowedJob {
  readonly jid: number;
  /** There may be more to read at once. */
  hasMore = false;
  /** Its file is not what it was: only the queue knows whether that is a new attempt. */
  isCut = false;
  private readonly file: OutputFile;
  /** The attempt that is or was read. */
  private attempt: number;
  private phase: 'waiting' | 'reading' | 'done' = 'waiting';
  private hasRead = false;

  constructor(queue: Queue, job: Job, { stream, lines }: FollowOptions) {
    this.jid = job.jid;
    this.file = new OutputFile(join(queue.directory, stream, String(job.jid)));
    this.attempt = job.attempt;
    if (isWaiting(job)) return;
    if (!hasBegun(job)) {
      this.attempt -= 1;
      return;
    }
    this.phase = 'reading';
    this.hasRead = true;
    this.file.toLastLines(lines);
  }

  get isReading(): boolean {
    return this.phase === 'reading';
  }

  get isDone(): boolean {
    return this.phase === 'done';
  }

  /** Takes in what the queue says of the job, undefined where it is gone. */
  *see(job: Job | undefined, isFirst = false): Generator<FollowEvent> {
    if (job === undefined) return yield* this.seeDeleted();
    switch (job.state) {
      case 'pending':
      case 'holding':
        return yield* this.seeWaiting(job, isFirst);
      case 'running':
        return yield* this.seeRunning(job);
      case 'finished':
      case 'dead':
        return yield* this.seeEnded(job);
    }
  }

  /** What it has written since. */
  *read(): Generator<FollowEvent> {
    this.hasMore = false;
    if (this.phase === 'reading' && !this.isCut) yield* this.bytes(TURN_BYTES);
  }

  private *seeDeleted(): Generator<FollowEvent> {
    if (this.phase === 'reading') yield* this.bytes();
    yield { kind: 'deleted', jid: this.jid };
    this.phase = 'done';
  }

  private *seeWaiting(job: WaitingJob, isFirst: boolean): Generator<FollowEvent> {
    // Until the next attempt begins, its file is what the last one wrote.
    if (this.phase === 'reading') yield* this.bytes();
    else if (!isFirst) return;
    this.phase = 'waiting';
    yield { kind: 'waiting', job, isAgain: !isFirst };
  }

  private *seeRunning(job: RunningJob): Generator<FollowEvent> {
    if (this.phase !== 'reading' || this.attempt !== job.attempt) {
      if (hasBegun(job)) yield* this.begin(job.attempt);
      else this.phase = 'waiting';
    } else if (this.isCut) yield* this.startOver();
  }

  private *seeEnded(job: FinishedJob | DeadJob): Generator<FollowEvent> {
    if (job.attempt !== this.attempt && hasBegun(job)) yield* this.begin(job.attempt);
    if (this.phase === 'reading') {
      yield* this.bytes();
      if (this.isCut) {
        yield* this.startOver();
        yield* this.bytes();
      }
    }
    yield { kind: 'ended', job };
    this.phase = 'done';
  }

  private *begin(attempt: number): Generator<FollowEvent> {
    if (this.hasRead) yield { kind: 'restarted', jid: this.jid, attempt };
    this.phase = 'reading';
    this.hasRead = true;
    this.attempt = attempt;
    this.isCut = false;
    this.file.rewind();
  }

  private *startOver(): Generator<FollowEvent> {
    yield { kind: 'cut', jid: this.jid };
    this.isCut = false;
    this.file.rewind();
  }

  private *bytes(limit = Number.POSITIVE_INFINITY): Generator<FollowEvent> {
    for (let count = 0; count < limit; ) {
      const bytes = this.file.next();
      if (bytes === undefined) return;
      if (bytes === 'cut') {
        this.isCut = true;
        return;
      }
      yield { kind: 'bytes', jid: this.jid, bytes };
      count += bytes.length;
    }
    this.hasMore = true;
  }
}

function isWaiting(job: Job): job is WaitingJob {
  return job.state === 'pending' || job.state === 'holding';
}

/**
 * Whether the file is this attempt's: an earlier one's stays until the runner truncates it, which it has done when it
 * tells the pid. A first attempt has no file before it.
 */
function hasBegun({ attempt, pid }: RunningJob | FinishedJob | DeadJob): boolean {
  return attempt === 1 || pid !== null;
}
