import { spawn } from 'node:child_process';
import { systemClock } from '../../job/clock.ts';
import { processStartTime } from '../../job/process.ts';
import type { BegunRecords } from '../journal/begun-records.ts';
import type { RunnerLog } from '../log.ts';
import type { Environment } from '../protocol/protocol.ts';
import { CannotStart, startFailure } from './start-failure.ts';
import { type Attendant, type Ended, failed, type Starter, type StartOrder } from './starter.ts';
import { closeStdio, openStdio, type Stdio } from './stdio.ts';

/** The pause after one that could not be started: as in fork-server.py. */
const FAILED_MS = 100;
/** An order that is older is not begun: as there. */
const STALE_MS = 10_000;

/** Forks this process itself, at 2 ms of its time for each job: for hosts that have no Python 3.8. */
export class PlainStarter implements Starter {
  private base: Environment = {};
  private limit = Number.POSITIVE_INFINITY;
  private running = 0;
  private isPausing = false;
  private readonly queue: [StartOrder, Attendant, orderedMs: number][] = [];

  constructor(
    private readonly bash: string,
    private readonly begun: BegunRecords,
    private readonly log: RunnerLog,
  ) {}

  environment(base: Environment): void {
    this.base = base;
  }

  slots(slots: number): void {
    this.limit = slots;
    this.startNext();
  }

  start(order: StartOrder, attendant: Attendant): void {
    this.queue.push([order, attendant, systemClock.sinceBootMs()]);
    this.startNext();
  }

  cancel(name: string): void {
    const index = this.queue.findIndex(([order]) => order.name === name);
    for (const [, attendant] of index < 0 ? [] : this.queue.splice(index, 1)) attendant.onCancelled();
  }

  private startNext(): void {
    while (this.running < this.limit && !this.isPausing) {
      const nowMs = systemClock.sinceBootMs();
      const next = this.queue.shift();
      if (next === undefined) return;
      const [order, attendant, orderedMs] = next;
      if (nowMs - orderedMs > STALE_MS) attendant.onCancelled();
      else this.startOne(order, attendant);
    }
  }

  private pause(): void {
    this.isPausing = true;
    setTimeout(() => {
      this.isPausing = false;
      this.startNext();
    }, FAILED_MS);
  }

  private startOne(order: StartOrder, attendant: Attendant): void {
    this.running += 1;
    const end = (ended: Ended, isFailure = false): void => {
      this.running -= 1;
      attendant.onEnd(ended);
      if (isFailure && Number.isFinite(this.limit)) this.pause();
      this.startNext();
    };
    let stdio: Stdio | undefined;
    try {
      this.begun.note(order.name);
      stdio = openStdio(order.request);
      this.fork(order, stdio, attendant, end);
    } catch (error) {
      end(failed(error instanceof CannotStart ? error.message : startFailure(error, order.request.cwd)), true);
    } finally {
      if (stdio !== undefined) closeStdio(stdio);
    }
  }

  private fork(
    order: StartOrder,
    stdio: Stdio,
    attendant: Attendant,
    end: (ended: Ended, isFailure?: boolean) => void,
  ): void {
    const { cwd } = order.request;
    const env = { ...this.base, ...order.env };
    const child = spawn(this.bash, order.words, { argv0: 'bash', cwd, env, detached: true, stdio });
    if (child.pid === undefined) {
      child.once('error', (error) => end(failed(startFailure(error, cwd)), true));
      return;
    }
    child.once('exit', (exit_status, signal) => end({ exit_status, signal, reason: null, isLost: false }));
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
