import { join } from 'node:path';
import type { DeadJob, FinishedJob, Job, RunningJob, WaitingJob } from '../../job/job.ts';
import type { Queue } from '../open.ts';
import { OutputFile } from './output-file.ts';

export interface FollowOptions {
  readonly stream: 'stdout' | 'stderr';
  /** The number of existing lines to begin with; Infinity for all. */
  readonly lines: number;
}

/** An event of a followed job. `bytes` is output exactly as the job wrote it. */
export type FollowEvent =
  | { readonly kind: 'bytes'; readonly jid: number; readonly bytes: Uint8Array }
  | { readonly kind: 'waiting'; readonly job: WaitingJob; readonly isAgain: boolean }
  | { readonly kind: 'restarted'; readonly jid: number; readonly attempt: number }
  | { readonly kind: 'cut'; readonly jid: number }
  | { readonly kind: 'ended'; readonly job: FinishedJob | DeadJob }
  | { readonly kind: 'deleted'; readonly jid: number };

/** The bytes that are read of one job before it is the next one's turn. */
const TURN_BYTES = 4 * 1024 * 1024;

/** One followed job: the attempt that is read, and how far. `update` gets the job's row whenever it was read. */
export class FollowedJob {
  readonly jid: number;
  /** Whether more output may be available immediately. */
  hasMore = false;
  /** Whether the file was truncated or replaced. The row tells whether this is a new attempt. */
  isCut = false;
  private readonly file: OutputFile;
  /** The attempt that is being read, or was read last. */
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
    this.file.seekLastLines(lines);
  }

  get isReading(): boolean {
    return this.phase === 'reading';
  }

  get isDone(): boolean {
    return this.phase === 'done';
  }

  /** Takes the job as it is in the queue; undefined if it was deleted. */
  *update(job: Job | undefined, isFirst = false): Generator<FollowEvent> {
    if (job === undefined) return yield* this.updateDeleted();
    switch (job.state) {
      case 'pending':
      case 'holding':
        return yield* this.updateWaiting(job, isFirst);
      case 'running':
        return yield* this.updateRunning(job);
      case 'finished':
      case 'dead':
        return yield* this.updateEnded(job);
    }
  }

  /** The output since the last call. */
  *read(): Generator<FollowEvent> {
    this.hasMore = false;
    if (this.phase === 'reading' && !this.isCut) yield* this.bytes(TURN_BYTES);
  }

  private *updateDeleted(): Generator<FollowEvent> {
    if (this.phase === 'reading') yield* this.bytes();
    yield { kind: 'deleted', jid: this.jid };
    this.phase = 'done';
  }

  private *updateWaiting(job: WaitingJob, isFirst: boolean): Generator<FollowEvent> {
    // The file still has the output of the last attempt.
    if (this.phase === 'reading') yield* this.bytes();
    else if (!isFirst) return;
    this.phase = 'waiting';
    yield { kind: 'waiting', job, isAgain: !isFirst };
  }

  private *updateRunning(job: RunningJob): Generator<FollowEvent> {
    if (this.phase !== 'reading' || this.attempt !== job.attempt) {
      if (hasBegun(job)) yield* this.begin(job.attempt);
      else this.phase = 'waiting';
    } else if (this.isCut) yield* this.startOver();
  }

  private *updateEnded(job: FinishedJob | DeadJob): Generator<FollowEvent> {
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
 * Whether the file has the output of this attempt. The file of an earlier attempt stays until the runner truncates it,
 * which happens before the pid is known.
 */
function hasBegun({ attempt, pid }: RunningJob | FinishedJob | DeadJob): boolean {
  return attempt === 1 || pid !== null;
}
