import type { Logger } from 'pino';
import { errorMessage, RqError } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';

type Attempt = AttemptKey & { readonly pid?: number | null };

/** Everything that a feeder has to say, by name; the only place with words for it. */
export class FeederEvents {
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  started(facts: { queue: string; host: string; pid: number; runner: number; slots: number; version: string }): void {
    this.logger.info(facts, 'feeder started');
  }

  ended(facts: { why: string; ran: number }): void {
    this.logger.info(facts, 'feeder ended');
  }

  jobStarted({ jid, attempt, pid }: Attempt): void {
    this.logger.info({ jid, attempt, pid }, 'job started');
  }

  jobEnded(end: Attempt & { exit_status: number | null; signal: string | null; reason: string | null }): void {
    const { jid, attempt, pid, exit_status, signal, reason } = end;
    const how = reason ?? (signal === null ? { exit_status } : { signal });
    this.logger.info({ jid, attempt, pid, ...(typeof how === 'string' ? { reason: how } : how) }, 'job ended');
  }

  adopted({ jid, attempt, pid }: Attempt): void {
    this.logger.info({ jid, attempt, pid }, 'adopted a job that was running already');
  }

  neverStarted({ jid, attempt }: AttemptKey): void {
    this.logger.info({ jid, attempt }, 'gave a job back that was claimed and never started');
  }

  lost({ jid, attempt }: AttemptKey, reason: string): void {
    this.logger.warn({ jid, attempt, reason }, 'lost a job');
  }

  beatFailed(error: unknown): void {
    this.logger.error(
      { reason: errorMessage(error) },
      'no sign of life can be given; others take this host for lost if it stays so',
    );
  }

  beatsAgain(): void {
    this.logger.info('signs of life are given again');
  }

  unsound(jids: readonly number[]): void {
    const [first] = jids;
    this.logger.warn(
      { jid: first, jobs: jids.length },
      'left pending jobs alone that break the rules of the queue: not written by rq',
    );
  }

  refused({ jid, attempt }: AttemptKey): void {
    this.logger.warn({ jid, attempt }, 'the result of an attempt was refused, since its job went to another');
  }

  killedStale({ jid, attempt, pid }: Attempt): void {
    this.logger.warn({ jid, attempt, pid }, 'killed an attempt whose job went to another');
  }

  killFailed({ jid, attempt }: AttemptKey, error: unknown): void {
    this.logger.error({ jid, attempt, reason: errorMessage(error) }, 'cannot kill an attempt');
  }

  heldOff(ms: number, reason: string): void {
    this.logger.warn({ ms: Math.round(ms), reason }, 'jobs cannot be started here; none is claimed for a while');
  }

  exchanged(facts: { ends: number; claimed: number; ms: number }): void {
    this.logger.debug(facts, 'exchange');
  }

  queueFailed(error: unknown, retryMs: number): void {
    const code = error instanceof RqError ? error.code : undefined;
    this.logger.error({ code, retryMs: Math.round(retryMs) }, errorMessage(error));
  }

  runnerLost(error: unknown): void {
    this.logger.warn({ reason: errorMessage(error) }, 'lost the runner, starting it again');
  }

  loginFailed(error: unknown): void {
    this.logger.warn({ reason: errorMessage(error) }, 'the login shell failed; jobs get the environment of the feeder');
  }

  stopping(signal: string, running: number): void {
    const again = signal === 'SIGINT' ? '; Ctrl-C again kills them' : '';
    this.logger.info({ signal, running }, `no more jobs are claimed; waiting for those that run${again}`);
  }

  killing(running: number): void {
    this.logger.warn({ running }, 'killing the jobs that run');
  }

  restarting(): void {
    this.logger.info('starting anew, the jobs go on');
  }
}
