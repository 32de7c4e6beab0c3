import { spawn } from 'node:child_process';
import { processStartTime } from '../job/process.ts';
import type { RunnerLog } from './log.ts';
import type { Environment } from './protocol.ts';
import { CannotStart, startFailure } from './start-failure.ts';
import { type Attendant, failed, type Starter, type StartOrder } from './starter.ts';
import { closeStdio, openStdio, type Stdio } from './stdio.ts';

/** Forks this process itself, at 2 ms of its time for each job: for hosts that have no perl. */
export class PlainStarter implements Starter {
  private base: Environment = {};

  constructor(
    private readonly bash: string,
    private readonly log: RunnerLog,
  ) {}

  environment(base: Environment): void {
    this.base = base;
  }

  start(order: StartOrder, attendant: Attendant): void {
    let stdio: Stdio | undefined;
    try {
      stdio = openStdio(order.request);
      this.fork(order, stdio, attendant);
    } catch (error) {
      const reason = error instanceof CannotStart ? error.message : startFailure(error, order.request.cwd);
      attendant.onEnd(failed(reason));
    } finally {
      if (stdio !== undefined) closeStdio(stdio);
    }
  }

  private fork({ request, words, env }: StartOrder, stdio: Stdio, attendant: Attendant): void {
    const environment = { ...this.base, ...env };
    const { cwd } = request;
    const child = spawn(this.bash, words, { argv0: 'bash', cwd, env: environment, detached: true, stdio });
    if (child.pid === undefined) {
      child.once('error', (error) => attendant.onEnd(failed(startFailure(error, cwd))));
      return;
    }
    child.once('exit', (exit_status, signal) => attendant.onEnd({ exit_status, signal, reason: null, isLost: false }));
    attendant.onStarted({ pid: child.pid, start_time: this.startTime(child.pid) });
  }

  /** Never throws: the job runs, whatever cannot be read about it. */
  private startTime(pid: number): number | null {
    try {
      return processStartTime(pid) ?? null;
    } catch (error) {
      this.log.failed('read the start time of a job', error);
      return null;
    }
  }
}
