import type { DeadJob, FinishedJob } from '../../../job/job.ts';
import type { Unseen } from '../../../queue/follow/follow.ts';
import type { FollowEvent } from '../../../queue/follow/followed-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** Prints what jobs write, on stdout as it is, and says on stderr what becomes of them. */
export class TailPrinter {
  /** Say whose the output is, where it begins to be another job's. */
  hasHeaders = false;
  private readonly call: CommandCall;
  private readonly stream: 'stdout' | 'stderr';
  private printed: number | undefined;

  constructor(call: CommandCall, stream: 'stdout' | 'stderr') {
    this.call = call;
    this.stream = stream;
  }

  async print(event: FollowEvent | Unseen): Promise<void> {
    if (event.kind === 'bytes') {
      await this.head(event.jid);
      await this.call.output.write(event.bytes);
      return;
    }
    const line = this.lineOf(event);
    if (line !== undefined) this.call.diagnostics.info(line);
  }

  private async head(jid: number): Promise<void> {
    if (jid === this.printed) return;
    const gap = this.printed === undefined ? '' : '\n';
    this.printed = jid;
    if (this.hasHeaders) await this.call.output.write(`${gap}==> job ${jid} ${this.stream} <==\n`);
  }

  private lineOf(event: Exclude<FollowEvent | Unseen, { kind: 'bytes' }>): string | undefined {
    switch (event.kind) {
      case 'waiting':
        return `job ${event.job.jid} is ${event.job.state}${event.isAgain ? ' again' : ''}: waiting until it starts`;
      case 'restarted':
        return `job ${event.jid} was started anew: attempt ${event.attempt}, from the beginning of its ${this.stream}`;
      case 'cut':
        return `the ${this.stream} of job ${event.jid} was cut short: from its beginning`;
      case 'ended':
        return endLine(event.job);
      case 'deleted':
        return `job ${event.jid} was deleted`;
      case 'unseen':
        return `${event.error.message}; meanwhile nothing is known of how the jobs do`;
    }
  }
}

/** How a job ended; of one that ended well there is nothing to say. */
function endLine(job: FinishedJob | DeadJob): string | undefined {
  if (job.state === 'dead') return `job ${job.jid} is dead: ${job.reason}`;
  if (job.signal !== null) return `job ${job.jid} was ended by ${job.signal}`;
  return job.exit_status === 0 ? undefined : `job ${job.jid} finished with exit status ${job.exit_status}`;
}
