/** Node runs a timer with a longer delay at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer that runs `onDue` at the earliest of the times for which it is set. */
export class Alarm {
  private timer: NodeJS.Timeout | undefined;
  private dueMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly monotonicMs: () => number,
    private readonly onDue: () => void,
  ) {}

  /** Also runs `onDue` at this time. It may run earlier, and more than once. */
  setAt(dueMs: number): void {
    if (dueMs >= this.dueMs) return;
    clearTimeout(this.timer);
    this.dueMs = dueMs;
    const delayMs = Math.ceil(Math.max(0, dueMs - this.monotonicMs()));
    this.timer = setTimeout(() => this.ring(), Math.min(delayMs, MAX_DELAY_MS));
  }

  private ring(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    this.onDue();
  }
}
