import { writeSync } from 'node:fs';
import { systemClock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import type { Progress } from '../../queue/progress.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { isTerminal } from './terminal.ts';

const QUIET_MS = 1_000;
const EVERY_MS = 200;
const INFO = 3;

/** A progress line on a terminal for work that takes longer than a second: count, rate and remaining time. */
export class ProgressLine {
  private readonly startMs = systemClock.monotonicMs();
  private lastMs = this.startMs + QUIET_MS - EVERY_MS;
  private isShown = false;

  /** `participle` is the first word of the line: `submitted`. */
  constructor(
    private readonly participle: string,
    private readonly isSilent: boolean,
  ) {}

  /** Call it often. It draws by itself, because the work blocks the event loop and its timers. */
  readonly report: Progress = (done, total) => {
    if (this.isSilent) return;
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.lastMs < EVERY_MS) return;
    this.lastMs = nowMs;
    this.isShown = true;
    show(`\r${progressText(this.participle, done, total, (nowMs - this.startMs) / 1000)}\u001b[K`);
  };

  /** Removes the line when the work has ended. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } finally {
      if (this.isShown) show('\r\u001b[K');
    }
  }
}

/** The progress line of a call; it is silent if stderr is not a terminal or the verbosity is below info. */
export function progressOf(call: CommandCall, participle: string): ProgressLine {
  return new ProgressLine(participle, call.diagnostics.verbosity < INFO || !isTerminal(2));
}

/** `submitted 1,200 of 5,000 (24 %), 600 a second, 6 s left`. */
export function progressText(participle: string, done: number, total: number | undefined, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const count = total === undefined ? grouped(done) : `${grouped(done)} of ${grouped(total)}`;
  const share = total === undefined || total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`;
  const left = total === undefined || rate === 0 ? '' : `, ${timeText((total - done) / rate)} left`;
  return `${participle} ${count}${share}, ${grouped(Math.round(rate))} a second${left}`;
}

export function grouped(number: number): string {
  return number.toLocaleString('en');
}

export function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Writes to the terminal on stderr. */
export function show(text: string): void {
  try {
    writeSync(2, text);
  } catch (error) {
    // A busy or closed terminal must not make the command fail.
    if (!['EPIPE', 'EAGAIN', 'EBADF', 'EIO'].includes(errorCode(error) ?? '')) throw error;
  }
}
