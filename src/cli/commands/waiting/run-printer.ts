import type { JobEvent } from '../../../queue/wait/follow-job.ts';
import { standardError } from '../../output/standard-output.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** How long a job may be pending before it is reported. */
const PENDING_MS = 2_000;

type Notice = Extract<JobEvent, { kind: 'notice' }>['event'];

/** Copies the output of the job of `run`, and reports on stderr what the output and the exit status do not show. */
export class RunPrinter {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly call: CommandCall,
    private readonly jid: number,
  ) {
    this.timer = setTimeout(() => call.diagnostics.info(`job ${jid} is pending; waiting for it to start`), PENDING_MS);
  }

  async print(event: JobEvent): Promise<void> {
    switch (event.kind) {
      case 'bytes':
        await (event.stream === 'stdout' ? this.call.output : standardError).write(event.bytes);
        // Writing to a file never waits, and signals are handled between turns of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        return;
      case 'started':
        this.stop();
        return;
      case 'read-failed':
        this.call.diagnostics.warn(`${event.error.message}; rq continues to wait for job ${this.jid}`);
        return;
      case 'notice':
        this.report(event.stream, event.event);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Both streams give notice of a change of the job. */
  private report(stream: 'stdout' | 'stderr', notice: Notice): void {
    const line = this.lineOf(stream, notice);
    if (line !== undefined && (stream === 'stdout' || notice.kind === 'cut')) this.call.diagnostics.info(line);
  }

  private lineOf(stream: 'stdout' | 'stderr', notice: Notice): string | undefined {
    const job = `job ${this.jid}`;
    switch (notice.kind) {
      case 'waiting':
        return `${job} is ${notice.job.state} again; waiting for it to start`;
      case 'restarted':
        return `${job} started again as attempt ${notice.attempt}; printing its output from the beginning`;
      case 'cut':
        return `the ${stream} of ${job} was truncated; printing it from the beginning`;
      case 'deleted':
        return `${job} was deleted`;
      case 'ended':
        if ('reason' in notice.job && notice.job.reason !== null) return `${job}: ${notice.job.reason}`;
        return notice.job.signal === null ? undefined : `${job} was ended by ${notice.job.signal}`;
    }
  }
}
