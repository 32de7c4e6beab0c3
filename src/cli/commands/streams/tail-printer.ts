import type { DeadJob, FinishedJob } from '../../../job/job.ts';
import type { ReadFailed } from '../../../queue/follow/follow.ts';
import type { FollowEvent } from '../../../queue/follow/followed-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** Prints the output of jobs unchanged on stdout, and their changes of state on stderr. */
export class TailPrinter {
  /** Print a header where the output of another job begins. */
  hasHeaders = false;
  private readonly call: CommandCall;
  private readonly stream: 'stdout' | 'stderr';
  private printed: number | undefined;

  constructor(call: CommandCall, stream: 'stdout' | 'stderr') {
    this.call = call;
    this.stream = stream;
  }

  async print(event: FollowEvent | ReadFailed): Promise<void> {
    if (event.kind === 'bytes') {
      await this.printHeader(event.jid);
      await this.call.output.write(event.bytes);
      return;
    }
    const line = this.describe(event);
    if (line !== undefined) this.call.diagnostics.info(line);
  }

  private async printHeader(jid: number): Promise<void> {
    if (jid === this.printed) return;
    const gap = this.printed === undefined ? '' : '\n';
    this.printed = jid;
    if (this.hasHeaders) await this.call.output.write(`${gap}==> job ${jid} ${this.stream} <==\n`);
  }

  private describe(event: Exclude<FollowEvent | ReadFailed, { kind: 'bytes' }>): string | undefined {
    switch (event.kind) {
      case 'waiting':
        return `job ${event.job.jid} is ${event.job.state}${event.isAgain ? ' again' : ''}; waiting for it to start`;
      case 'restarted':
        return `job ${event.jid} started again as attempt ${event.attempt}; printing its ${this.stream} from the beginning`;
      case 'cut':
        return `the ${this.stream} of job ${event.jid} was truncated; printing it from the beginning`;
      case 'ended':
        return endLine(event.job);
      case 'deleted':
        return `job ${event.jid} was deleted`;
      case 'read-failed':
        return `${event.error.message}; the states of the jobs are unknown until rq can read the queue again`;
    }
  }
}

/** Describes how a job ended; undefined for exit status 0. */
function endLine(job: FinishedJob | DeadJob): string | undefined {
  if (job.state === 'dead') return `job ${job.jid} is dead: ${job.reason}`;
  if (job.signal !== null) return `job ${job.jid} was ended by ${job.signal}`;
  return job.exit_status === 0 ? undefined : `job ${job.jid} finished with exit status ${job.exit_status}`;
}
