import { systemClock } from '../../../job/clock.ts';
import { grouped, show, timeText } from '../../output/progress.ts';
import { isTerminal } from '../../output/terminal.ts';
import type { CommandCall } from '../../parse/command-call.ts';

const INFO = 3;
const BAR_WIDTH = 10;

/** The jobs of a wait: all of them, those that were open when it began, and the present counts. */
export interface WaitCounts {
  readonly total: number;
  readonly opened: number;
  readonly open: number;
  readonly failed: number;
  readonly running: number;
}

/** A progress bar on a terminal. It must be cleared before jobs are printed, perhaps on the same terminal. */
export class WaitProgress {
  private readonly startMs = systemClock.monotonicMs();
  private readonly isSilent: boolean;
  private isShown = false;

  /** It is silent if stderr is not a terminal or the verbosity is below info. */
  constructor({ diagnostics }: CommandCall) {
    this.isSilent = diagnostics.verbosity < INFO || !isTerminal(2);
  }

  show(counts: WaitCounts): void {
    if (this.isSilent) return;
    const text = waitText(counts, (systemClock.monotonicMs() - this.startMs) / 1000);
    this.isShown = true;
    // A longer line would wrap, and could not be cleared.
    show(`\r${text.slice(0, (process.stderr.columns || 80) - 1)}\u001b[K`);
  }

  clear(): void {
    if (this.isShown) show('\r\u001b[K');
    this.isShown = false;
  }
}

/** `[##--------] 24 of 100 done, 2 failed, 16 running, 3 a second, 26 s left`. `seconds`: since the wait began. */
export function waitText({ total, opened, open, failed, running }: WaitCounts, seconds: number): string {
  const done = total - open;
  const filled = Math.floor((BAR_WIDTH * done) / total);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
  const rate = seconds > 0 ? (opened - open) / seconds : 0;
  const left = rate > 0 ? `, ${rateText(rate)}, ${timeText(open / rate)} left` : '';
  return `${bar} ${grouped(done)} of ${grouped(total)} done, ${grouped(failed)} failed, ${grouped(running)} running${left}`;
}

function rateText(rate: number): string {
  if (rate >= 1) return `${grouped(Math.round(rate))} a second`;
  return rate >= 1 / 60 ? `${grouped(Math.round(rate * 60))} a minute` : `${(rate * 3600).toFixed(1)} an hour`;
}
