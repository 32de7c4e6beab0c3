const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The first SIGINT or SIGTERM is a request; the second ends the process at once. */
export class Interruption {
  /** The first signal. */
  signal: (typeof SIGNALS)[number] | undefined;
  private handler: (() => void) | undefined;

  /** From here on, no signal ends the process before `handle` was called, except the second one. */
  start(): void {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** Sets what the first signal does, and does it if the signal has arrived. */
  handle(handler: () => void): void {
    this.handler = handler;
    if (this.signal !== undefined) handler();
  }

  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.signal !== undefined) {
      this.stop();
      process.kill(process.pid, signal);
      return;
    }
    this.signal = SIGNALS.find((each) => each === signal);
    this.handler?.();
  };
}
