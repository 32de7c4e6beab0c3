import { workerData } from 'node:worker_threads';
import type { ActivityState } from '../../job/activity.ts';
import { systemClock } from '../../job/clock.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';
import { EXIT, SIGNALLED } from '../output/exit-status.ts';
import { endProcess } from './end-process.ts';
import { Reporter, seconds } from './reporter.ts';
import { readState, type SharedState } from './shared-state.ts';
import { Threads } from './threads.ts';
import { type WarningTarget, warn } from './warning.ts';

export interface WatcherSettings {
  readonly shared: SharedState;
  readonly queue: string;
  readonly target: WarningTarget;
  /** How long a wait is not reported, in milliseconds. */
  readonly firstMs: number;
  /** How long the main thread may be blocked before the process ends, in milliseconds; undefined: for ever. */
  readonly limitMs: number | undefined;
  readonly hint: string;
}

const INTERVAL_MS = 500;
/** A system call can take this long on a file system that works. */
const MIN_LIMIT_MS = 1_000;
const IDLE: ActivityState = { operation: undefined, wait: undefined, mayHaveChanged: false, isUnlimited: false };

/**
 * The thread that watches the main thread. It reports waits, and it ends the process when the main thread cannot do so
 * because the kernel blocks it.
 */
class Watcher {
  private readonly threads = new Threads();
  private readonly reporter: Reporter;
  private state = IDLE;
  private signalledMs: number | undefined;

  constructor(private readonly settings: WatcherSettings) {
    const { queue, firstMs, hint } = settings;
    this.reporter = new Reporter(queue, firstMs, hint);
  }

  observe(): void {
    const nowMs = systemClock.monotonicMs();
    this.state = readState(this.settings.shared) ?? this.state;
    const blockedMs = this.threads.blockedMs(nowMs, this.state.operation !== undefined);
    const line = this.reporter.line({ ...this.state, blockedMs }, nowMs);
    if (line !== undefined) warn(this.settings.target, line);
    if (blockedMs < INTERVAL_MS) {
      this.signalledMs = undefined;
      return;
    }
    this.endOnSignal(nowMs);
    this.endAfterLimit(blockedMs, nowMs);
  }

  /** A signal with a listener does not reach the main thread while it is blocked. A feeder gets `firstMs` to continue. */
  private endOnSignal(nowMs: number): void {
    const { target, firstMs, queue } = this.settings;
    const signal = this.threads.pendingSignal();
    if (signal === undefined) {
      this.signalledMs = undefined;
      return;
    }
    this.signalledMs ??= nowMs;
    if (target.kind === 'stderr') endProcess(SIGNALLED + signal);
    if (nowMs - this.signalledMs < firstMs) return;
    warn(target, `received a signal to exit, but ${queue} does not answer; exiting now; running jobs continue`);
    // Nothing uses the exit status of a feeder, and SIGKILL needs no cooperation.
    process.kill(process.pid, 'SIGKILL');
  }

  private endAfterLimit(blockedMs: number, nowMs: number): void {
    const { limitMs, queue, target } = this.settings;
    const { operation, wait, mayHaveChanged, isUnlimited } = this.state;
    if (limitMs === undefined || isUnlimited) return;
    const waitedMs = Math.max(blockedMs, wait === undefined ? 0 : nowMs - wait.sinceMs);
    if (waitedMs < Math.max(limitMs, MIN_LIMIT_MS)) return;
    const silence = `the file server has not answered for ${seconds(waitedMs)}`;
    const diagnostics = standardDiagnostics(process.env, target.verbosity);
    if (mayHaveChanged) {
      diagnostics.fatal(`cannot determine whether ${queue} was changed: ${silence}; check with: rq ${queue} list`);
      endProcess(EXIT.failed);
    }
    const during = operation === undefined ? '' : ` (${operation})`;
    diagnostics.fatal(`cannot use ${queue}: ${silence}${during}; try again, or wait longer with --lock-timeout`);
    endProcess(EXIT.busy);
  }
}

const watcher = new Watcher(workerData as WatcherSettings);
setInterval(() => watcher.observe(), INTERVAL_MS);
