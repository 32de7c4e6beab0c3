const SLICE_MS = 4;

/**
 * Handles lines in order, for a few milliseconds in each turn of the event loop. Without this limit, a burst of a
 * thousand requests would delay the exits of jobs. `onBusy` is called when the caller should stop reading and when it
 * should continue.
 */
export class TimeSlicedLines {
  private waiting: string[] = [];
  private sliceEndMs = 0;
  private next: NodeJS.Immediate | undefined;

  constructor(
    private readonly handle: (line: string) => void,
    private readonly onBusy: (isBusy: boolean) => void,
    private readonly monotonicMs: () => number,
  ) {}

  add(line: string): void {
    this.next ??= this.beginSlice();
    if (this.waiting.length === 0 && this.monotonicMs() < this.sliceEndMs) this.handle(line);
    else if (this.waiting.push(line) === 1) this.onBusy(true);
  }

  clear(): void {
    this.waiting = [];
  }

  private beginSlice(): NodeJS.Immediate {
    this.sliceEndMs = this.monotonicMs() + SLICE_MS;
    return setImmediate(() => this.handleWaiting());
  }

  private handleWaiting(): void {
    this.next = undefined;
    if (this.waiting.length === 0) return;
    this.next = this.beginSlice();
    let handled = 0;
    while (handled < this.waiting.length && this.monotonicMs() < this.sliceEndMs) {
      this.handle(this.waiting[handled] ?? '');
      handled += 1;
    }
    this.waiting.splice(0, handled);
    if (this.waiting.length === 0) this.onBusy(false);
  }
}
