const TURN_MS = 4;

/**
 * Handles lines in order, a few milliseconds of them a turn of the event loop: a thousand requests that come in one
 * piece must not keep the ends of jobs from being seen. `onBusy` tells when no more should be read, and when again.
 */
export class PacedLines {
  private waiting: string[] = [];
  private turnEndMs = 0;
  private next: NodeJS.Immediate | undefined;

  constructor(
    private readonly handle: (line: string) => void,
    private readonly onBusy: (isBusy: boolean) => void,
    private readonly monotonicMs: () => number,
  ) {}

  add(line: string): void {
    this.next ??= this.beginTurn();
    if (this.waiting.length === 0 && this.monotonicMs() < this.turnEndMs) this.handle(line);
    else if (this.waiting.push(line) === 1) this.onBusy(true);
  }

  clear(): void {
    this.waiting = [];
  }

  private beginTurn(): NodeJS.Immediate {
    this.turnEndMs = this.monotonicMs() + TURN_MS;
    return setImmediate(() => this.goOn());
  }

  private goOn(): void {
    this.next = undefined;
    if (this.waiting.length === 0) return;
    this.next = this.beginTurn();
    let handled = 0;
    while (handled < this.waiting.length && this.monotonicMs() < this.turnEndMs) {
      this.handle(this.waiting[handled] ?? '');
      handled += 1;
    }
    this.waiting.splice(0, handled);
    if (this.waiting.length === 0) this.onBusy(false);
  }
}
