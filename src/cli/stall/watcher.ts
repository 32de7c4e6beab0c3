import { workerData } from 'node:worker_threads';
import { isMarked, readWait, type SharedBoard } from '../../job/wait-board.ts';
import { steadyMs } from '../../job/waits.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';
import { EXIT } from '../output/exit-status.ts';
import { endProcess, killSoon } from './end-process.ts';
import { Reporter, type Seen, seconds } from './reporter.ts';
import { Threads } from './threads.ts';
import { type Voice, warn } from './voice.ts';

/** What the thread that watches is given. */
export interface WatchOrder {
  readonly board: SharedBoard;
  readonly queue: string;
  readonly voice: Voice;
  /** How long nothing is said, in milliseconds. */
  readonly firstMs: number;
  /** After so many milliseconds in one call of the kernel the process is ended; undefined: never. */
  readonly limitMs: number | undefined;
  readonly hint: string;
}

const LOOK_MS = 500;
/** A call takes its time also on a share that answers, so that no limit is shorter. */
const LEAST_LIMIT_MS = 1_000;
/** What a shell says of a process that a signal ended. */
const SIGNALLED = 128;

/**
 * The program of the thread that watches the others: it says what they wait for, and ends the process where the main
 * thread cannot, because the kernel does not let it go.
 */
class Watcher {
  private readonly threads = new Threads();
  private readonly reporter: Reporter;
  private orderedMs: number | undefined;

  constructor(private readonly order: WatchOrder) {
    const { queue, firstMs, hint } = order;
    this.reporter = new Reporter(queue, firstMs, hint);
  }

  look(): void {
    const { board, voice } = this.order;
    const nowMs = steadyMs();
    const step = readWait(board, 'step');
    const stuckMs = this.threads.stuckMs(nowMs, step !== undefined);
    const seen: Seen = { step, lock: readWait(board, 'lock'), stuckMs };
    const line = this.reporter.look(seen, nowMs);
    if (line !== undefined) warn(voice, line);
    this.obeySignal(stuckMs, nowMs);
    this.obeyLimit(seen, nowMs);
  }

  /** A main thread that listens to signals does not get one while it is blocked. A feeder has time until it goes on. */
  private obeySignal(stuckMs: number, nowMs: number): void {
    const { voice, firstMs, queue } = this.order;
    const signal = stuckMs >= LOOK_MS ? this.threads.pendingSignal() : undefined;
    if (signal === undefined) {
      this.orderedMs = undefined;
      return;
    }
    this.orderedMs ??= nowMs;
    if (voice.kind === 'diagnostics') this.end(SIGNALLED + signal);
    if (nowMs - this.orderedMs < firstMs) return;
    warn(voice, `told to end, and ${queue} does not answer: ends now; its jobs go on`);
    // Nobody asks for its status, and this needs the least.
    process.kill(process.pid, 'SIGKILL');
  }

  private obeyLimit({ step, lock, stuckMs }: Seen, nowMs: number): void {
    const { board, limitMs, queue, voice } = this.order;
    if (limitMs === undefined || isMarked(board, 'endless') || stuckMs < LOOK_MS) return;
    const waitedMs = Math.max(stuckMs, lock === undefined ? 0 : nowMs - lock.sinceMs);
    if (waitedMs < Math.max(limitMs, LEAST_LIMIT_MS)) return;
    const silence = `it has not answered for ${seconds(waitedMs)}`;
    const diagnostics = standardDiagnostics(process.env, voice.verbosity);
    if (isMarked(board, 'changed')) {
      const look = `look with: rq ${queue} list`;
      diagnostics.fatal(`cannot tell whether all of the change to ${queue} is done: ${silence}; ${look}`);
      this.end(EXIT.failed);
      return;
    }
    const doing = step === undefined ? '' : `, ${step.what}`;
    diagnostics.fatal(`cannot use ${queue}: ${silence}${doing}; try again, or wait longer with --lock-timeout`);
    this.end(EXIT.busy);
  }

  private end(status: number): void {
    killSoon();
    endProcess(status);
  }
}

const watcher = new Watcher(workerData as WatchOrder);
setInterval(() => watcher.look(), LOOK_MS);
