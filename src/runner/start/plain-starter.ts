import { spawn } from 'node:child_process';
import { systemClock } from '../../job/clock.ts';
import { processStartTime } from '../../job/process.ts';
import type { StartRecords } from '../journal/start-records.ts';
import type { RunnerLog } from '../log.ts';
import type { Environment } from '../protocol/fields.ts';
import { CannotStart, startFailure } from './start-failure.ts';
import { type AttemptEnd, type Starter, type StartObserver, type StartRequest, startFailed } from './starter.ts';
import { closeStdio, openStdio, type Stdio } from './stdio.ts';

/** The pause after an attempt that could not be started. fork-server.py has the same value. */
const FAILURE_PAUSE_MS = 100;
/** The age at which a request that has not begun is cancelled. fork-server.py has the same value. */
const STALE_MS = 10_000;

/** Forks attempts from this process, for hosts without Python 3.8. A fork blocks the event loop for 2 ms. */
export class PlainStarter implements Starter {
  private base: Environment = {};
  private limit = Number.POSITIVE_INFINITY;
  private running = 0;
  private isPausing = false;
  private readonly queue: [StartRequest, StartObserver, requestedMs: number][] = [];

  constructor(
    private readonly bash: string,
    private readonly startRecords: StartRecords,
    private readonly log: RunnerLog,
  ) {}

  environment(base: Environment): void {
    this.base = base;
  }

  slots(slots: number): void {
    this.limit = slots;
    this.startNext();
  }

  start(request: StartRequest, observer: StartObserver): void {
    this.queue.push([request, observer, systemClock.sinceBootMs()]);
    this.startNext();
  }

  cancel(name: string): void {
    const index = this.queue.findIndex(([request]) => request.name === name);
    for (const [, observer] of index < 0 ? [] : this.queue.splice(index, 1)) observer.onCancelled();
  }

  private startNext(): void {
    while (this.running < this.limit && !this.isPausing) {
      const nowMs = systemClock.sinceBootMs();
      const next = this.queue.shift();
      if (next === undefined) return;
      const [request, observer, requestedMs] = next;
      if (nowMs - requestedMs > STALE_MS) observer.onCancelled();
      else this.startOne(request, observer);
    }
  }

  private pause(): void {
    this.isPausing = true;
    setTimeout(() => {
      this.isPausing = false;
      this.startNext();
    }, FAILURE_PAUSE_MS);
  }

  private startOne(request: StartRequest, observer: StartObserver): void {
    this.running += 1;
    const finish = (end: AttemptEnd, isFailure = false): void => {
      this.running -= 1;
      observer.onEnd(end);
      if (isFailure && Number.isFinite(this.limit)) this.pause();
      this.startNext();
    };
    let stdio: Stdio | undefined;
    try {
      this.startRecords.add(request.name);
      stdio = openStdio(request.request);
      this.fork(request, stdio, observer, finish);
    } catch (error) {
      const { cwd } = request.request;
      finish(startFailed(error instanceof CannotStart ? error.message : startFailure(error, cwd)), true);
    } finally {
      if (stdio !== undefined) closeStdio(stdio);
    }
  }

  private fork(
    request: StartRequest,
    stdio: Stdio,
    observer: StartObserver,
    finish: (end: AttemptEnd, isFailure?: boolean) => void,
  ): void {
    const { cwd } = request.request;
    const env = { ...this.base, ...request.env };
    const child = spawn(this.bash, request.bashArguments, { argv0: 'bash', cwd, env, detached: true, stdio });
    if (child.pid === undefined) {
      child.once('error', (error) => finish(startFailed(startFailure(error, cwd)), true));
      return;
    }
    child.once('exit', (exit_status, signal) => finish({ exit_status, signal, reason: null, isLost: false }));
    observer.onStarted({ pid: child.pid, start_time: this.startTime(child.pid) });
  }

  /** Never throws, because the job runs already. */
  private startTime(pid: number): number | null {
    try {
      return processStartTime(pid) ?? null;
    } catch (error) {
      this.log.failed('read the start time of a job', error);
      return null;
    }
  }
}
