import { errorMessage, RqError } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import type { Logger } from './logger.ts';

type Attempt = AttemptKey & { readonly pid?: number | null };

/** The log events of a feeder, with all of their wording. */
export class FeederEvents {
  constructor(private readonly logger: Logger) {}

  started(facts: { queue: string; host: string; pid: number; runner: number; slots: number; version: string }): void {
    this.logger.info(facts, 'feeder started');
  }

  feedsAsRoot(warning: string): void {
    this.logger.warn(warning);
  }

  /** `attempts` counts the attempts that ended while this feeder ran. */
  ended(facts: { reason: string; attempts: number }): void {
    this.logger.info(facts, 'feeder ended');
  }

  restarting(): void {
    this.logger.info('restarting the feeder; running jobs continue');
  }

  restartFailed(error: unknown): void {
    this.logger.error({ reason: errorMessage(error) }, 'cannot restart the feeder; the old program continues');
  }

  shuttingDown(signal: string, running: number): void {
    const hint = signal === 'SIGINT' ? '; press Ctrl-C again to kill them' : '';
    this.logger.info({ signal, running }, `shutting down: claiming no more jobs, and waiting for running jobs${hint}`);
  }

  killingAll(running: number): void {
    this.logger.warn({ running }, 'killing all running jobs');
  }

  killingStale({ jid, claim, pid }: Attempt): void {
    this.logger.warn({ jid, claim, pid }, 'killing a stale attempt, because its job was claimed again');
  }

  killing({ jid, claim }: AttemptKey, requestedBy: string): void {
    this.logger.info({ jid, claim, by: requestedBy }, 'killing a job');
  }

  pausing({ jid, claim }: AttemptKey): void {
    this.logger.info({ jid, claim }, 'pausing a job');
  }

  resuming({ jid, claim }: AttemptKey): void {
    this.logger.info({ jid, claim }, 'resuming a job');
  }

  signalling({ jid, claim }: AttemptKey, signal: string): void {
    this.logger.info({ jid, claim, signal }, 'sending a signal to a job');
  }

  killFailed({ jid, claim }: AttemptKey, error: unknown): void {
    this.logger.error({ jid, claim, reason: errorMessage(error) }, 'cannot kill an attempt');
  }

  jobStarted({ jid, claim, pid }: Attempt): void {
    this.logger.info({ jid, claim, pid }, 'job started');
  }

  jobEnded(end: Attempt & { exit_status: number | null; signal: string | null; reason: string | null }): void {
    const { jid, claim, pid, exit_status, signal, reason } = end;
    const result = reason !== null ? { reason } : signal !== null ? { signal } : { exit_status };
    this.logger.info({ jid, claim, pid, ...result }, 'job ended');
  }

  /** This host could not start the job. It goes back to pending, unless enough hosts have tried. */
  jobNotStarted({ jid, claim }: AttemptKey, reason: string): void {
    this.logger.warn({ jid, claim, reason }, 'cannot start a job on this host');
  }

  directoryHangs({ jid, claim }: AttemptKey, directory: string): void {
    this.logger.warn({ jid, claim, directory }, 'the directory of a job does not respond; other jobs use its slot');
  }

  jobAdopted({ jid, claim, pid }: Attempt): void {
    this.logger.info({ jid, claim, pid }, 'adopted a running job');
  }

  jobReleased({ jid, claim }: AttemptKey): void {
    this.logger.info({ jid, claim }, 'released a claimed job that was never started');
  }

  jobLost({ jid, claim }: AttemptKey, reason: string): void {
    this.logger.warn({ jid, claim, reason }, 'job lost');
  }

  /** Its heartbeats have stopped, but it is a former name of this machine. */
  formerNameRuns(host: string): void {
    this.logger.warn({ host }, 'not declared lost: this machine fed under this name, and its jobs still run');
  }

  resultRefused({ jid, claim }: AttemptKey): void {
    this.logger.warn({ jid, claim }, 'refused a result, because the job was claimed again');
  }

  /** The job stays running in the queue. */
  resultSetAside({ jid, claim }: AttemptKey, reason: string): void {
    this.logger.error(
      { jid, claim, reason },
      'set aside a result that the database rejects; correct the row or the trigger, and restart the feeder',
    );
  }

  /** Pending jobs that violate the constraints of the schema. */
  invalidJobsSkipped(jids: readonly number[]): void {
    const [first] = jids;
    this.logger.warn({ jid: first, jobs: jids.length }, 'skipped invalid pending jobs that rq did not write');
  }

  claimsSuspended(ms: number, reason: string): void {
    this.logger.warn({ ms: Math.round(ms), reason }, 'cannot start jobs on this host; claims are suspended');
  }

  /** Logged once, until a user reverses it. */
  drained({ drained, by, reason }: { drained: string; by: string; reason: string | null }): void {
    const facts = { since: drained, by, ...(reason === null ? {} : { reason }) };
    this.logger.warn(facts, 'this host is drained: claiming no jobs, while running jobs continue');
  }

  undrained(): void {
    this.logger.info('this host is no longer drained: claiming jobs again');
  }

  heartbeatFailed(error: unknown): void {
    this.logger.error(
      { reason: errorMessage(error) },
      'heartbeat failed; if heartbeats continue to fail, other hosts will declare this host lost',
    );
  }

  heartbeatRecovered(): void {
    this.logger.info('heartbeat recovered');
  }

  nodeFileFailed(error: unknown): void {
    this.logger.error({ reason: errorMessage(error) }, 'cannot write the state of this host for "nodes"');
  }

  exchanged(facts: { ends: number; claimed: number; ms: number }): void {
    this.logger.debug(facts, 'exchange');
  }

  queueFailed(error: unknown, retryMs: number): void {
    const code = error instanceof RqError ? error.code : undefined;
    this.logger.error({ code, retryMs: Math.round(retryMs) }, errorMessage(error));
  }

  /** Logged once, until the schema is supported again. */
  schemaUnsupported(error: unknown): void {
    this.logger.error(
      { reason: errorMessage(error) },
      'the installed program does not support the schema of the queue; waiting, while running jobs continue',
    );
  }

  schemaSupported(): void {
    this.logger.info('this program supports the schema of the queue again; continuing');
  }

  runnerLost(error: unknown): void {
    this.logger.warn({ reason: errorMessage(error) }, 'lost the runner; reconnecting or starting a new runner');
  }

  /** A line of `HostGpus`. */
  gpuWarning(line: string): void {
    this.logger.warn(line);
  }

  gpusReserved(devices: readonly string[]): void {
    this.logger.info({ devices: devices.join(',') }, 'other queues no longer use these GPUs; jobs get them now');
  }

  gpusNotReserved(error: unknown): void {
    this.logger.error({ reason: errorMessage(error) }, 'cannot reserve the GPUs that other queues used');
  }

  /** Logged after each connection to such a runner. */
  runnerForgetsGpus(): void {
    this.logger.warn(
      'the runner is of an earlier version and cannot record GPUs; to run jobs with GPUs, shut the feeder down and start it again',
    );
  }

  loginShellFailed(reason: string): void {
    this.logger.warn({ reason }, 'cannot read the login environment; jobs get the previous one, or that of the feeder');
  }

  loginShellRecovered(): void {
    this.logger.info('the login environment was read; new jobs get it');
  }
}
