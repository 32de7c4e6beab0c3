import { RqError } from '../../../job/errors.ts';
import { hasFailed, type Job } from '../../../job/job.ts';
import { feedState } from '../../../queue/nodes/feeding-hosts.ts';
import type { Queue } from '../../../queue/open.ts';
import { readSettings } from '../../../queue/settings.ts';
import type { JidSet } from '../../../queue/wait/jid-set.ts';
import { QueueChanges } from '../../../queue/wait/queue-changes.ts';
import { type EndedJob, type WaitEvent, waitForEnds } from '../../../queue/wait/wait-for-ends.ts';
import { EXIT, statusOfSignal, WAIT_EXIT } from '../../output/exit-status.ts';
import { printJobs } from '../../output/print.ts';
import { OutputClosed } from '../../output/standard-output.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { statusOfEnd } from './job-status.ts';
import { WaitProgress } from './wait-progress.ts';

export interface AwaitOptions {
  /** Wait only for the first job that ends. */
  readonly any?: boolean;
  readonly timeoutMs?: number | undefined;
  readonly print: boolean;
  /** The jobs need no feeder to end. */
  readonly needsNoFeeder?: boolean;
}

const MAX_LISTED = 20;

/** Waits for jobs, which it removes from `open` as they end, and returns the exit status of a wait. */
export async function awaitJobs(call: CommandCall, queue: Queue, open: JidSet, options: AwaitOptions): Promise<number> {
  const { timeoutMs = Number.POSITIVE_INFINITY, print } = options;
  const deadlineMs = queue.clock.monotonicMs() + timeoutMs;
  const changes = await changesOf(call, queue);
  const wait = new Wait(call, queue, open, options);
  const batches = wait.ends(waitForEnds(queue, open, changes, deadlineMs));
  if (print) await printJobs(call, batches, true);
  else for await (const _ of batches);
  return wait.status();
}

/** The changes of the queue for a command that waits. A wait can take days, so an outage of the file server does not end it. */
export async function changesOf(call: CommandCall, queue: Queue): Promise<QueueChanges> {
  if (call.options.number('lock-timeout') === undefined) call.activity.ignoreTimeout();
  const { max_sleep } = await readSettings(queue);
  return new QueueChanges(queue, max_sleep * 1000);
}

/** Warns that the jobs do not start. */
export async function warnWithoutFeeder({ diagnostics, queue: path }: CommandCall, queue: Queue): Promise<void> {
  const state = await feedState(queue).catch((error: unknown) => {
    // The wait itself reports a queue that cannot be read.
    if (!(error instanceof RqError)) throw error;
    return 'feeding' as const;
  });
  if (state === 'feeding') return;
  const [fault, advice] =
    state === 'none'
      ? [`no host feeds from ${queue.directory}`, `start a feeder with: rq ${path} start`]
      : [`all hosts that feed from ${queue.directory} are drained`, `see: rq ${path} nodes`];
  diagnostics.warn(`${fault}, so no job starts; ${advice}`);
}

/** If the reader of stdout has gone, returns the status of a program that SIGPIPE ends: 0 would be that of a job. */
export async function endWithPipe(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutputClosed) return statusOfSignal('SIGPIPE') ?? EXIT.failed;
    throw error;
  }
}

/** The ends that a wait has seen. */
class Wait {
  private readonly progress: WaitProgress;
  private readonly total: number;
  private opened: number | undefined;
  private failed = 0;
  private highest = 0;
  private first: EndedJob | undefined;

  constructor(
    private readonly call: CommandCall,
    private readonly queue: Queue,
    private readonly open: JidSet,
    private readonly options: AwaitOptions,
  ) {
    this.total = open.size;
    this.progress = new WaitProgress(call);
  }

  /** The jobs to print. With `any`, this is only the first one that ended. */
  async *ends(events: AsyncIterable<WaitEvent>): AsyncGenerator<readonly Job[]> {
    for await (const event of events) {
      if (event.kind !== 'read') this.progress.clear();
      if (event.kind === 'ended') {
        this.add(event.jobs);
        if (this.options.any !== true) yield event.jobs;
      } else await this.report(event);
      if (event.kind !== 'read' || this.first === undefined || this.options.any !== true) continue;
      this.progress.clear();
      yield [this.first];
      return;
    }
    this.progress.clear();
  }

  status(): number {
    if (this.options.any === true && this.first !== undefined) return statusOfEnd(this.first);
    if (this.open.size === 0) return this.highest;
    const jobs = this.total === 1 ? 'the job has' : `${this.open.size} of ${this.total} jobs have`;
    this.call.diagnostics.warn(`${jobs} not ended within ${(this.options.timeoutMs ?? 0) / 1000} s`);
    return WAIT_EXIT.timeout;
  }

  private add(jobs: readonly EndedJob[]): void {
    for (const job of jobs) {
      this.highest = Math.max(this.highest, statusOfEnd(job));
      if (hasFailed(job)) this.failed += 1;
      if (this.first === undefined || job.finished < this.first.finished) this.first = job;
    }
  }

  private async report(event: Exclude<WaitEvent, { kind: 'ended' }>): Promise<void> {
    const { diagnostics } = this.call;
    switch (event.kind) {
      case 'missing':
        this.highest = Math.max(this.highest, WAIT_EXIT.noStatus);
        diagnostics.warn(`${jobList(event.jids)} deleted or rotated, so rq does not know the exit status`);
        return;
      case 'read-failed':
        diagnostics.warn(`${event.error.message}; rq continues to wait`);
        return;
      case 'read':
        if (this.opened === undefined && event.open > 0 && this.options.needsNoFeeder !== true) {
          await warnWithoutFeeder(this.call, this.queue);
        }
        this.opened ??= event.open;
        this.progress.show({ ...event, total: this.total, opened: this.opened, failed: this.failed });
    }
  }
}

function jobList(jids: readonly number[]): string {
  if (jids.length === 1) return `job ${jids[0]} was`;
  const more = jids.length > MAX_LISTED ? ` and ${jids.length - MAX_LISTED} more` : '';
  return `jobs ${jids.slice(0, MAX_LISTED).join(', ')}${more} were`;
}
